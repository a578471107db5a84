import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { makeKey } from '../../support/api.ts';
import { askWithoutBody, headOf, readAnswer } from '../../support/raw-request.ts';
import { listenWith, openEcho } from './open-echo.ts';

const { api, ground, key, project } = await openEcho();
const { url } = await listenWith(api);

/** A request with this body, written whole before anything is read, as simple clients do. */
async function writeThenRead(bearer: string, body: Buffer, more: Record<string, string> = {}) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const answer = readAnswer(socket);
  const headers = {
    Host: 'x',
    Authorization: `Bearer ${bearer}`,
    'Content-Type': 'application/json',
    ...more,
  };
  socket.write(headOf('POST', '/echo/1', { ...headers, 'Content-Length': String(body.length) }));
  await new Promise((resolve) => socket.write(body, resolve));
  const { status } = await answer;
  socket.destroy();
  return status;
}

test.each<Record<string, string>>([{}, { Connection: 'close' }])(
  'refuses a body of 1 MB unread, and a client that sends it whole first still reads why (%j)',
  async (more) => {
    const { key: jobsKey, keyId } = await makeKey(ground, project, { scopes: ['jobs'] });
    const body = Buffer.alloc(1_000_000, '[');
    expect(await writeThenRead(jobsKey, body, more)).toBe(403);
    expect(await writeThenRead(key, body, more)).toBe(413);
    await ground.projects.revokeKey(project, keyId, new Date());
  },
);

test('asks who waits for 100 Continue for the body only once nothing else is wrong', async () => {
  const expecting = { 'Content-Type': 'application/json', 'Content-Length': '12', Expect: '100-continue' };
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const first = readAnswer(socket);
  socket.write(headOf('POST', '/echo/1', { Host: 'x', Authorization: `Bearer ${key}`, ...expecting }));
  expect((await first).status).toBe(100);
  const second = readAnswer(socket);
  socket.write('{"text":"x"}');
  expect((await second).status).toBe(202);
  socket.destroy();
  const refused = await askWithoutBody(url, 'POST', '/echo/1', {
    Authorization: 'Bearer none',
    ...expecting,
  });
  expect(refused.status).toBe(401);
});
