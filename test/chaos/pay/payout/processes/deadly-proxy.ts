import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** When the worker behind it dies, by what passes between it and the rail. */
export const deathPlaces = ['connect', 'after request', 'before answer', 'after answer'] as const;
export type DeathPlace = (typeof deathPlaces)[number];

export interface Death {
  readonly place: DeathPlace;
  /** The call that it dies at. */
  readonly method: 'POST' | 'PUT';
  readonly kill: () => void;
}

export interface DeadlyProxy {
  readonly url: string;
  /** The next call of that sort, once. */
  arm(death: Death): void;
  close(): void;
}

/** Stands between one worker and the rail. */
export async function openDeadlyProxy(target: string): Promise<DeadlyProxy> {
  const to = new URL(target);
  const sockets = new Set<Socket>();
  let armed: Death | undefined;
  const strike = (place: DeathPlace): boolean => {
    if (armed?.place !== place) return false;
    const { kill } = armed;
    armed = undefined;
    kill();
    return true;
  };
  const server = createServer((near) => {
    strike('connect');
    const far = connect(Number(to.port), to.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    }
    let isAwaited = false;
    near.on('data', (data) => {
      if (armed && data.toString('latin1').startsWith(`${armed.method} /payment/credit`)) isAwaited = true;
      far.write(data);
      if (isAwaited) strike('after request');
    });
    far.on('data', (data) => {
      const isAnswer = isAwaited;
      isAwaited = false;
      // Nobody is there to read it.
      if (isAnswer && strike('before answer')) return;
      near.write(data, () => isAnswer && strike('after answer'));
    });
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arm: (death) => (armed = death),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
