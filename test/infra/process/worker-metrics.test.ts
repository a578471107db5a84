import { get } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../../infra/embedded/port.ts';
import { serveMetrics } from '../../../infra/process/worker-metrics.ts';

async function metricsServer() {
  const port = await freePort();
  onTestFinished(await serveMetrics({ WORKER_METRICS_PORT: port, BIND_HOST: '0.0.0.0' }));
  return (path: string, headers: Record<string, string> = {}, host = '127.0.0.1') =>
    new Promise<number | undefined>((resolve, reject) => {
      get({ host, port, path, headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).on('error', reject);
    });
}

test('a scraper of our own network reads /metrics, and there is nothing else', async () => {
  const status = await metricsServer();
  expect(await status('/metrics')).toBe(200);
  expect(await status('/')).toBe(404);
});

test.for([
  { via: '1.1 proxy' },
  { forwarded: 'for=203.0.113.9' },
  { 'x-forwarded-for': '10.0.0.1' },
  { 'x-forwarded-proto': 'https' },
  { 'x-real-ip': '10.0.0.1' },
  { 'cf-connecting-ip': '203.0.113.9' },
])('what came through a proxy is refused, whoever it is from: %o', async (headers) => {
  const status = await metricsServer();
  expect(await status('/metrics', headers as Record<string, string>)).toBe(404);
});
