import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Navbat, startNavbat, until } from '../../support/navbat.ts';

/** Long enough for several tries to connect: the next comes after 50 ms more than the last. */
const AWAY_MS = 3_000;

let navbat: Navbat;
beforeAll(async () => {
  navbat = await startNavbat({ processes: [] });
});
afterAll(() => navbat.stop());

const said = (msg: string) => navbat.log.filter((line) => line.includes(`"msg":"${msg}"`)).length;

test('a worker without Redis says so once, and once that it is back', async () => {
  const redis = await openDoor(new URL(navbat.redisUrl));
  await navbat.start('workers/main.ts', [], 'worker ready', { REDIS_URL: redis.url });
  await sleep(1_000);
  redis.shut();
  await until(async () => said('queue error') > 0);
  await sleep(AWAY_MS);
  redis.open();
  await until(async () => said('queues are back') > 0);
  await sleep(AWAY_MS);
  expect([said('queue error'), said('queues are back')]).toEqual([1, 1]);
  // The reconciler, too, tells of one failure only.
  expect(
    navbat.log.filter((line) => line.includes('a tick failed') && line.includes('"reconciler"')).length,
  ).toBeLessThan(2);
  redis.shut();
});

/** Stands before a server on one port, and lets nobody in while it is shut. */
async function openDoor(target: URL) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far])
      sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)));
    near.pipe(far).pipe(near);
    near.on('close', () => far.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = new URL(target);
  url.port = String(port);
  return {
    url: url.href,
    open: () => void server.listen(port, '127.0.0.1'),
    shut: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
