import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { HEADER_BYTES_MAX } from '../../../apps/http/server.ts';
import { listenWith, openEcho } from './open-echo.ts';

const { api } = await openEcho();
const { url } = await listenWith(api);

test('refuses headers above its limit as a problem, and reads those below it', async () => {
  const fit = await fetch(`${url}/nowhere`, {
    headers: { 'x-filler': 'x'.repeat(HEADER_BYTES_MAX - 1_000) },
  });
  expect(fit.status).toBe(404);
  const refused = await fetch(`${url}/nowhere`, { headers: { 'x-filler': 'x'.repeat(HEADER_BYTES_MAX) } });
  expect(refused.status).toBe(431);
  expect(refused.headers.get('content-type')).toContain('application/problem+json');
});

test('cuts off who sends headers too slowly, with 408', async () => {
  const slow = connect(Number(new URL(url).port), '127.0.0.1');
  slow.write('POST /echo/1 HTTP/1.1\r\nHost: x\r\n');
  const [answer] = (await once(slow, 'data')) as [Buffer];
  expect(String(answer)).toMatch(/^HTTP\/1\.1 408 [^]*problem\+json[^]*request-timeout/);
});
