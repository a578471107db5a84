import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import type { TestProject } from 'vitest/node';
import { z } from 'zod';

declare module 'vitest' {
  interface ProvidedContext {
    /** By role. */
    readonly postgres: { readonly url: string; readonly ownerUrl: string; readonly superuserUrl: string };
    readonly redisUrl: string;
    readonly redisDatabases: number;
  }
}

const keeperLine = z.object({
  postgres: z.object({ url: z.string(), ownerUrl: z.string(), superuserUrl: z.string() }),
  redisUrl: z.string(),
  redisDatabases: z.number(),
});

/** One Postgres and one Redis a run; the returned function stops them. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
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
  const { postgres, redisUrl, redisDatabases } = keeperLine.parse(JSON.parse(String(first[0])));
  provide('postgres', postgres);
  provide('redisUrl', redisUrl);
  provide('redisDatabases', redisDatabases);
  return stop;
}
