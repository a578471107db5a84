import type pg from 'pg';
import { HELD } from './held.ts';
import type { Settle, Settles } from './settle.ts';

/** Unfinished rows that one round looks at: some milliseconds. A second lies between two rounds. */
const PAGE_ROWS = 1_000;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/**
 * A walk over the unfinished jobs that wait for their turn, which frees what no turn would ever reach: what a kind's own settle
 * finds, and jobs whose project has lost its place in the line. No statement of ours leaves such a row; a restored dump, a hand
 * in the database or an older version may.
 *
 * @returns a round; it answers how many rows it freed.
 */
export function stuckJobs(pool: pg.Pool, settles: Settles): (now: Date) => Promise<number> {
  let after = FIRST_ID;
  return async (now) => {
    const { rows } = await pool.query<{ id: string; kind: string }>(
      `select id, kind from job where finished_at is null and id > $1 order by id limit ${PAGE_ROWS}`,
      [after],
    );
    after = rows.length < PAGE_ROWS ? FIRST_ID : (rows.at(-1)?.id ?? FIRST_ID);
    let freed = 0;
    for (const [free, ofKind] of Map.groupBy(rows, ({ kind }) => settles[kind]?.freeStuck))
      if (free) freed += await free(pool, ids(ofKind), now);
    return freed + (await giveLostTurns(pool, ids(rows), now));
  };
}

const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);
type FreeStuck = NonNullable<Settle['freeStuck']>;

const giveLostTurns: FreeStuck = async (pool, jobIds, now) => {
  const lost = await pool.query(findLost, [jobIds, now]);
  if (lost.rowCount) await pool.query(giveTurns, [jobIds, now]);
  return lost.rowCount ?? 0;
};

/** A turn that was served a moment ago is not lost. */
export const LOST_AFTER = `interval '1 minute'`;

/** Of a job that waits in Postgres and is not held. */
export const waits = `j.scheduled_at is null and j.finished_at is null and j.run_at < ${HELD}`;
const lacksTurn = `not exists (
    select from scheduler_turn t where t.kind = j.kind and t.project_id = j.project_id
      and t.served_at <= greatest(j.run_at, $2::timestamptz + ${LOST_AFTER}))
  and not exists (select from turn_request c where c.kind = j.kind and c.project_id = j.project_id)`;

const findLost = `select from job j where j.id = any($1) and ${waits} and ${lacksTurn}`;

const giveTurns = `
insert into scheduler_turn (kind, project_id, served_at, stamp)
select kind, project_id, $2, gen_random_uuid()
from (select distinct j.kind, j.project_id from job j where j.id = any($1) and ${waits} and ${lacksTurn}) w order by kind, project_id
on conflict (kind, project_id) do update set served_at = least(scheduler_turn.served_at, excluded.served_at), stamp = excluded.stamp`;
