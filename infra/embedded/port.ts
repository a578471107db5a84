import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below 32768, where Linux and macOS take the near end of outgoing connections from: a client that keeps dialling a
 * killed server's port would otherwise one day be given that very port, talk to itself, and keep the server from it.
 */
const PORT_MIN = 20_000;
const PORT_END = 32_000;
const TRIES_MAX = 50;

/** A port of 127.0.0.1 that nobody listens on now. Somebody may take it before you do: be ready to ask again. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = randomInt(PORT_MIN, PORT_END);
    if (await isFree(port, '127.0.0.1')) return port;
  }
  throw new Error(`No free port between ${PORT_MIN} and ${PORT_END} after ${TRIES_MAX} tries.`);
}

/** Can this port be listened on at this address? */
export function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
