import { setTimeout as sleep } from 'node:timers/promises';

export interface Server {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

interface Keeping<Of> {
  /** Starts it; at the given port when it has to come back where its clients look for it. */
  readonly start: (port?: number) => Promise<Of>;
  readonly isAlive: (pid: number) => boolean;
  readonly onTrouble: (sentence: string) => void;
}

/** A developer who kills the database waits this long for it to come back. */
const LOOK_MS = 1_000;

/** Starts a server and starts it again, with its data and at its address, whenever it is gone: all but its pid stays as it was. */
export async function keepServer<Of extends Server>(
  name: string,
  { start, isAlive, onTrouble }: Keeping<Of>,
): Promise<Omit<Of, 'pid'>> {
  let server = await start();
  const first = server;
  const stopping = new AbortController();
  const watch = async () => {
    while (await sleep(LOOK_MS, true, { signal: stopping.signal }).catch(() => false)) {
      if (isAlive(server.pid)) continue;
      onTrouble(`${name} is gone; it starts again.`);
      await start(first.port).then(
        (again) => (server = again),
        (error: unknown) => onTrouble(error instanceof Error ? error.message : String(error)),
      );
    }
  };
  const watching = watch();
  return {
    ...first,
    async stop() {
      stopping.abort();
      await watching;
      await server.stop();
    },
  };
}
