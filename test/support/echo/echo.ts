import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { defineJob, everyCommand } from '../../../domain/job/define-job.ts';
import { JobId } from '../../../domain/shared/ids.ts';
import type { Settle } from '../../../infra/postgres/job/settle.ts';

/** A kind that production doesn't have: it says a word to a provider, which says it back. */
export const echo = defineJob({
  kind: 'echo',
  payload: z.object({ word: z.string() }),
  labels: z.object({ to: z.string(), letters: z.string() }),
  attemptsMax: 2,
  delaysMs: [50],
  unknownMax: 1,
  attemptTimeoutMs: 1_000,
  concurrency: 10,
  scheduler: { inFlightMax: 20 },
  deadline: 'expires',
  staff: everyCommand,
});

/** A cave answers as long as it is open, and closes with its job. */
export const echoTable = `create table cave (id uuid primary key, state text not null default 'open', closed_at timestamptz);
  grant select, insert, update, delete on cave to navbat_app`;

export const echoSettle: Settle = {
  ending: {
    name: 'echo',
    held: `
caves as materialized (
  select c.id, j.id job_id from cave c join job j on j.subject_id = c.id where j.id in (select job_id from w) order by c.id for update of c),`,
    lastHeld: 'caves',
    settled: `,
closed_caves as (
  update cave c set state = moved.state, closed_at = $2 from caves join moved on moved.id = caves.job_id
  where c.id = caves.id and moved.state in ('completed', 'rejected', 'failed', 'expired'))`,
  },
  waitsUntil: (now) =>
    `(select ${now}::timestamptz + interval '1 hour' from cave where cave.id = job.subject_id and cave.state <> 'filled')`,
  staff: {
    lock: 'select from cave where id = (select subject_id from job where id = $1) for update',
    cancel: `update cave set state = 'filled', closed_at = $2 where id = (select subject_id from job where id = $1)`,
  },
  expire: `
update cave set state = 'expired', closed_at = $1 where id = any(array(
  select c.id from cave c join job j on j.subject_id = c.id where c.state = 'open' and j.state = 'expired' and j.deadline_at < $2
  order by c.id limit $3 for update of c skip locked))`,
};

/** Commits a job that waits for its project's turn, as an intake does. */
export async function acceptEcho(
  pool: pg.Pool,
  project: { readonly id: string; readonly slug: string },
  word: string,
  lifeMs = 60_000,
): Promise<JobId> {
  const id = JobId.parse(uuidv7());
  const now = new Date();
  // The word is no label: it must not reach Redis, whatever a row says.
  const labels = { project: project.slug, to: 'the cave', letters: String(word.length), word };
  await pool.query(insertEcho, [id, project.id, { word }, labels, now, new Date(now.getTime() + lifeMs)]);
  return id;
}

const insertEcho = `
with subject as (insert into cave (id) values (uuidv7()) returning id),
turn as (
  insert into scheduler_turn (kind, project_id, served_at, stamp) values ('echo', $2, $5, gen_random_uuid())
  on conflict (kind, project_id) do update set served_at = least(scheduler_turn.served_at, excluded.served_at), stamp = excluded.stamp)
insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
select $1, 'echo', $2, subject.id, $3, $4, $5, $6, $5 from subject`;
