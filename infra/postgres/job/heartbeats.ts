import type { Pool } from 'pg';

/** One sign of life of a worker process. */
export interface Beat {
  readonly id: string;
  readonly roles: readonly string[];
  readonly sweptAt: Date | null;
}

/** Writes it, and forgets processes that ended long ago. Two processes never write the same row. */
export async function beat(pool: Pool, { id, roles, sweptAt }: Beat, now: Date): Promise<void> {
  await pool.query(
    `with forgotten as (delete from worker_beat where at < $4::timestamptz - interval '1 hour' and id <> $1)
     insert into worker_beat (id, roles, swept_at, at) values ($1, $2, $3, $4)
     on conflict (id) do update set roles = excluded.roles, swept_at = excluded.swept_at, at = excluded.at`,
    [id, roles, sweptAt, now],
  );
}

/** The process ends in order: nobody waits for its next sign. */
export async function endBeat(pool: Pool, id: string): Promise<void> {
  await pool.query('delete from worker_beat where id = $1', [id]);
}
