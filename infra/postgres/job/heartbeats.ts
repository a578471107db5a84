import type { Pool } from 'pg';

/** One sign of life of a worker process. */
export interface Heartbeat {
  readonly id: string;
  readonly roles: readonly string[];
  readonly reconciledAt: Date | null;
}

/** Writes it, and forgets processes that ended long ago. Two processes never write the same row. */
export async function heartbeat(
  pool: Pool,
  { id, roles, reconciledAt }: Heartbeat,
  now: Date,
): Promise<void> {
  await pool.query(
    `with forgotten as (delete from worker_heartbeat where at < $4::timestamptz - interval '1 hour' and id <> $1)
     insert into worker_heartbeat (id, roles, reconciled_at, at) values ($1, $2, $3, $4)
     on conflict (id) do update set roles = excluded.roles, reconciled_at = excluded.reconciled_at, at = excluded.at`,
    [id, roles, reconciledAt, now],
  );
}

/** The process ends in order: nobody waits for its next sign. */
export async function endHeartbeat(pool: Pool, id: string): Promise<void> {
  await pool.query('delete from worker_heartbeat where id = $1', [id]);
}
