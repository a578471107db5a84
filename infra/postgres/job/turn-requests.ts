import type pg from 'pg';

/**
 * Gives a turn to every project that called for one. Triggers call without a lock (`turn_request`); here alone turns are
 * locked, in one order.
 */
export async function answerCalls(pool: pg.Pool, kind: string, now: Date): Promise<void> {
  await pool.query({ name: 'answer-calls', text: giveTurns, values: [kind, now, CALLS_MAX] });
}

/** Rows of one round, a few milliseconds; the others are answered a tenth of a second later. */
const CALLS_MAX = 10_000;

const giveTurns = `
with called as (
  delete from turn_request where ctid in (select ctid from turn_request where kind = $1 limit $3 for update skip locked) returning project_id)
insert into scheduler_turn (kind, project_id, served_at, stamp)
select $1, project_id, $2, gen_random_uuid() from (select distinct project_id from called order by project_id) c
on conflict (kind, project_id) do update set served_at = least(scheduler_turn.served_at, excluded.served_at), stamp = excluded.stamp`;
