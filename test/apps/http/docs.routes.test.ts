import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import express from 'express';
import request from 'supertest';
import { describe, expect, test, vi } from 'vitest';
import { docsRouter } from '../../../apps/http/docs.routes.ts';
import { begin, problems } from '../../../apps/http/express.ts';
import { openApiDocument } from '../../../apps/http/openapi.ts';
import { createHttpServer, listen } from '../../../apps/http/server.ts';
import { openLog } from '../../../infra/process/log.ts';
import { headOf } from '../../support/raw-request.ts';

const logged: unknown[] = [];
const log = openLog('api', 'debug', { write: (line: string) => void logged.push(JSON.parse(line)) });
const app = express()
  .use(begin, docsRouter(openApiDocument([], '0.0.0')))
  .use(problems({ log }));

describe.each(['/docs', '/redoc'])('%s', (path) => {
  test('comes whole from this server, under a policy that lets nothing else in', async () => {
    const { text, headers } = await request(app)
      .get(path)
      .expect(200)
      .expect('Content-Type', /text\/html/);
    const loaded = [...text.matchAll(/(?:src|href|spec-url)="([^"]+)"/g)].map(([, url]) => url ?? '');
    expect(loaded.length).toBeGreaterThan(1);
    for (const url of loaded) {
      expect(url).toMatch(/^\/[a-z]/);
      await request(app).get(url).expect(200);
    }
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/https?:|\*/);
  });
});

test('whoever stops a download has done nothing that a person must look at', async () => {
  const server = createHttpServer(app);
  await listen(server, '127.0.0.1', 0);
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(headOf('GET', '/redoc/redoc.standalone.js', { Host: 'x' }));
  await once(socket, 'data');
  socket.destroy();
  await vi.waitUntil(() => logged.length > 0, { timeout: 20_000 });
  expect(logged).toMatchObject([
    { level: 'debug', path: '/redoc/redoc.standalone.js', status: 499, msg: 'request' },
  ]);
  server.close();
  await once(server, 'close');
});
