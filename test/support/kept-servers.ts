import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { z } from 'zod';

export const Servers = z.object({
  /** By role. */
  postgres: z.object({ url: z.string(), ownerUrl: z.string(), superuserUrl: z.string() }),
  redisUrl: z.string(),
  redisDatabases: z.number(),
});
export type Servers = z.infer<typeof Servers>;

/** A Postgres and a Redis, which end with this process at the latest. */
export async function keepServers(): Promise<{ servers: Servers; stop: () => Promise<void> }> {
  const keeper = spawn(process.execPath, [fileURLToPath(new URL('./server-keeper.ts', import.meta.url))], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(keeper, 'exit');
  const stop = async () => {
    keeper.stdin.end();
    await ended;
  };
  const lines = createInterface(keeper.stdout);
  const first = await Promise.race([
    once(lines, 'line'),
    ended.then(() => {
      throw new Error('The test servers did not start; the reason stands above.');
    }),
  ]);
  return { servers: Servers.parse(JSON.parse(String(first[0]))), stop };
}
