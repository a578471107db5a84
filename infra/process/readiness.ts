import type { Redis } from 'ioredis';
import type { Pool } from 'pg';

/** An orchestrator asks every few seconds and gives up after about as long. */
const POSTGRES_TIMEOUT_MS = 2_000;

/** Whether Postgres answers with our schema in it, and whether Redis answers. */
export async function readiness(
  pool: Pool,
  redis: Redis,
): Promise<{ postgres: 'up' | 'down'; redis: 'up' | 'away' }> {
  const asked = pool.query('select from job limit 1').then(
    () => 'up' as const,
    () => 'down' as const,
  );
  const late = new Promise<'down'>((resolve) => setTimeout(resolve, POSTGRES_TIMEOUT_MS, 'down').unref());
  // The connection has its own short time-out.
  const pong = redis.ping().then(
    () => 'up' as const,
    () => 'away' as const,
  );
  return { postgres: await Promise.race([asked, late]), redis: await pong };
}
