import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between clients and a server, and holds back each piece of an answer for so long. */
export async function openLateProxy(target: string): Promise<{
  readonly url: string;
  delay(ms: number): void;
  close(): void;
}> {
  const to = new URL(target);
  const sockets = new Set<Socket>();
  let delayMs = 0;
  const server = createServer((near) => {
    const far = connect(Number(to.port), to.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    }
    near.on('data', (data) => far.write(data));
    // In order: timers of one length fire as they were set, and a shorter delay begins when nothing is held back.
    far.on('data', (data) => void setTimeout(() => near.write(data), delayMs));
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    delay: (ms) => (delayMs = ms),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
