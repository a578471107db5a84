import { dispatchRounds } from '../../../../infra/postgres/pay/dispatch/ticks.ts';
import { hotPool } from '../../../../infra/postgres/engine/hot-pool.ts';
import { machine } from '../../support/cpu.ts';
import { type Figure, figure } from '../../support/figures.ts';
import type { Stage } from '../../support/stage.ts';
import { approve } from './stage.ts';

/** As many as the tick keeps waiting: `WAITING_MAX` of workers/pay/dispatching.ts. */
const ROUND = 1_000;

/**
 * From lines to dispatches and jobs, by the tick's own call, against one `insert … select` of the same rows into tables with the same
 * columns, checks and indexes. In between the dispatches are taken away, as if workers had claimed them; that is not measured.
 */
export async function preparation(stage: Stage): Promise<Figure[]> {
  const { sql, options } = stage;
  const { large } = await approve({ ...stage, options: { ...options, items: 0 } });
  await sql.query(`update payout_batch set state = 'running' where id = $1`, [large]);
  for (const table of ['payout_dispatch', 'job'])
    await sql.query(`create table raw_${table} (like ${table} including all)`);
  const pool = hotPool(stage.postgresUrl, 1);
  const rounds = dispatchRounds(pool);
  const [ours, raws]: [number[], number[]] = [[], []];
  const each = Math.ceil(options.batch / options.rounds);
  for (let round = 1; round <= options.rounds; round++) {
    await sql.query('checkpoint');
    let made = 0;
    let micros = 0;
    while (made < each) {
      const startedMs = performance.now();
      const started = await rounds.start(Math.min(ROUND, each - made));
      micros += (performance.now() - startedMs) * 1_000;
      if (started === 0) break;
      made += started;
      await sql.query(`update payout_dispatch set state = 'drafting' where state = 'waiting'`);
      await sql.query(`delete from turn_request where kind = 'payout'`);
    }
    await sql.query('checkpoint');
    const startedMs = performance.now();
    for (const insert of insertRaw) await sql.query(insert);
    ours.push(micros / made);
    raws.push(((performance.now() - startedMs) * 1_000) / made);
    console.error(`preparation, round ${round}: ${made} in ${(micros / 1e6).toFixed(1)} s (${machine()})`);
    for (const kept of keepRaw) await sql.query(kept);
  }
  await pool.end();
  return [figure('payout', 'us to prepare a payment, against a raw insert of its rows', ours, raws)];
}

/** What this round has made: that is under way, and will not be in the next one. */
const insertRaw = [
  `insert into raw_payout_dispatch select * from payout_dispatch where state = 'drafting'`,
  `insert into raw_job (id, kind, project_id, subject_id, state, payload, labels, run_at, deadline_at, accepted_at)
   select j.id, j.kind, j.project_id, j.subject_id, j.state, j.payload, j.labels, j.run_at, j.deadline_at, j.accepted_at
   from payout_dispatch d join job j on j.id = d.job_id where d.state = 'drafting'`,
];
const keepRaw = [`update payout_dispatch set state = 'asking' where state = 'drafting'`];
