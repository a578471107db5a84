import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startRedis } from '../../infra/embedded/redis.ts';

/** A Redis of the test's own: one that may be wiped as a whole, and restarted. */
export async function ownRedis() {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-reconciler-'));
  await chmod(directory, 0o711);
  let redis = await startRedis({ directory });
  onTestFinished(async () => {
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    url: redis.url,
    restart: async () => {
      await redis.stop();
      redis = await startRedis({ directory, port: redis.port });
    },
  };
}
