import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { ConnectionLimits } from '../../../apps/http/connections.ts';
import { callerAddress } from '../../../apps/http/express.ts';
import { createHttpServer } from '../../../apps/http/server.ts';

async function server(limits: ConnectionLimits) {
  const http = createHttpServer((_req, res) => void res.end('ok'), limits);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  onTestFinished(() => {
    http.close();
    http.closeAllConnections();
  });
  const sockets = new Set<Socket>();
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  const open = async (localAddress = '127.0.0.1'): Promise<Socket> => {
    const accepted = once(http, 'connection');
    const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined);
    socket.resume();
    sockets.add(socket);
    await accepted;
    return socket;
  };
  const held = () => promisify(http.getConnections.bind(http))();
  /** Whether it gets an answer, or is closed without one. */
  const ask = async (socket: Socket): Promise<boolean> => {
    if (socket.closed) return false;
    // Not `once`: a connection that is cut while we write ends in an error, and that is a close too.
    const answered = new Promise<boolean>((resolve) => {
      socket.once('data', () => resolve(true)).once('close', () => resolve(false));
    });
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    return answered;
  };
  return { open, ask, held };
}

test('one address holds so many connections and not one more, until it closes one', async () => {
  const { open, ask } = await server({ perAddressMax: 3 });
  const held = [await open(), await open(), await open()];
  expect(await ask(await open())).toBe(false);
  const [first] = held as [Socket];
  expect(await ask(first)).toBe(true);
  first.destroy();
  await expect.poll(async () => ask(await open())).toBe(true);
});

test('of 3 000 that one address opens with the real limits 512 are held, and another address is answered', async () => {
  const { open, ask, held } = await server({});
  for (let opened = 0; opened < 3_000; opened += 100)
    await Promise.all(Array.from({ length: 100 }, () => open()));
  await expect.poll(held).toBe(512);
  expect(await ask(await open())).toBe(false);
  expect(await ask(await open('127.0.0.2'))).toBe(true);
});

test('behind a proxy of ours everybody comes from its address, which is not bounded', async () => {
  const { open, ask } = await server({ perAddressMax: 1, proxies: 1 });
  await open();
  expect(await ask(await open())).toBe(true);
});

test('a connection that says nothing is closed', async () => {
  const { open } = await server({ silentMs: 50 });
  const socket = await open();
  if (!socket.closed) await once(socket, 'close');
  expect(socket.bytesRead).toBe(0);
});

test.for<readonly [proxies: number, forwarded: string | undefined, address: string]>([
  [0, '203.0.113.9', '10.0.0.1'],
  [1, undefined, '10.0.0.1'],
  [1, '203.0.113.9', '203.0.113.9'],
  [1, '198.51.100.1, 203.0.113.9', '203.0.113.9'],
  [2, '198.51.100.1, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
  [2, '203.0.113.9', '203.0.113.9'],
  [1, '::ffff:203.0.113.9', '203.0.113.9'],
  [1, '203.0.113.9:4711', '203.0.113.9'],
  [1, '"[2001:DB8::1]:4711"', '2001:db8::1'],
  [1, 'unknown', '10.0.0.1'],
  [2, '_gazonk, 203.0.113.9', '203.0.113.9'],
  [1, ' , ', '10.0.0.1'],
])('with %i proxies X-Forwarded-For %j comes from %s', ([proxies, forwarded, address]) => {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  const req = { headers, socket: { remoteAddress: '::ffff:10.0.0.1' } } as unknown as IncomingMessage;
  expect(callerAddress(req, proxies)).toBe(address);
});
