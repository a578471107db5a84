import { connect } from 'node:net';
import { expect, test, vi } from 'vitest';
import { headOf } from '../../support/raw-request.ts';
import { listenWith, openEcho } from './open-echo.ts';

const { api, key, post } = await openEcho();
const { url } = await listenWith(api);

test('calls a client that leaves before its body has come neither a fault nor a database', async () => {
  api.logged.length = 0;
  api.observed.length = 0;
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const headers = { Host: 'x', Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  socket.write(headOf('POST', '/echo/1', { ...headers, 'Content-Length': '100' }) + '{"text":');
  // Taken in by the time that the next request is answered.
  await post().send({ text: 'x' }).expect(202);
  socket.destroy();
  await vi.waitUntil(() => api.observed.length === 2, { timeout: 20_000 });
  expect(api.observed[1]).toMatchObject({ route: '/echo/{id}', status: 499 });
  expect(api.logged.filter(({ level }) => level !== 'debug')).toEqual([]);
});
