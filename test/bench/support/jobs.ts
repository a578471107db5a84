import type { Client } from 'pg';
import type { Redis } from 'ioredis';
import type { JobId } from '../../../domain/shared/ids.ts';
import { openQueues } from '../../../infra/queue/queues.ts';
import { addEntries, type DueEntry } from '../../../infra/queue/entries.ts';
import type { Stage } from './stage.ts';
import { jobs } from '../../../domain/jobs.ts';

/** Queue entries of one pipeline. */
const ENTRIES_AT_ONCE = 2_000;

/** Verifications, recipients with a Telegram chat, and jobs that wait for their worker: made in Postgres, far faster than sent. */
export async function seedJobs(
  { sql, env }: Pick<Stage, 'sql' | 'env'>,
  project: { readonly id: string },
  count: number,
  dueIn: string,
): Promise<void> {
  // Root key of the codes: this stage's own.
  const codeKid = env['CODE_KEYS']?.split(':', 1)[0];
  await sql.query('truncate job, attempt, verification, recipient, destination, request, outbox cascade');
  // Before and not after: rows that were just accepted lie on pages that the log has whole already.
  await sql.query('checkpoint');
  await sql.query(insertJobs, [project.id, count, dueIn, codeKid]);
  // What autovacuum would have done by now on a table that grew for as long as this one would have taken.
  await sql.query('vacuum analyze');
}

const insertJobs = `
with given as materialized (
  select i, uuidv7() recipient_id, uuidv7() verification_id, uuidv7() job_id, sha256(('bench ' || i)::bytea) address_hash,
    '+99890' || lpad(i::text, 7, '0') phone, now() at, now() + $3::interval run_at, now() + $3::interval + interval '1 hour' ends_at
  from generate_series(1, $2::int) i),
recipients as (
  insert into recipient (id, project_id, phone, address_hash, telegram_chat_id, created_at, updated_at)
  select recipient_id, $1, phone, address_hash, i, at, at from given),
verifications as (
  insert into verification (id, project_id, recipient_id, address_hash, phone, phone_prefix, purpose, mode, code_kid, code_length,
    checks_max, check_by_to, channels, locale, job_id, ttl_seconds, created_at, sent_at, expires_at)
  select verification_id, $1, recipient_id, address_hash, phone, left(phone, 9), 'login', 'live', $4, 6,
    5, false, '{telegram}', 'en', job_id, 300, at, at, ends_at from given)
insert into job (id, kind, project_id, subject_id, address_hash, payload, labels, run_at, deadline_at, accepted_at, scheduled_at,
  request_id)
select job_id, 'otp-send', $1, verification_id, address_hash, json_build_object('verification_id', verification_id),
  json_build_object('project', 'bench-1', 'channels', 'telegram', 'to', '+998•••••••67'), run_at, ends_at, at, at, 'bench'
from given`;

/** Queue entries for all jobs that are not finished, as the reconciler would issue them. */
export async function addAllEntries(sql: Client, redis: Redis): Promise<void> {
  const queues = openQueues(redis.duplicate({ maxRetriesPerRequest: 1 }), jobs);
  try {
    let after = '00000000-0000-0000-0000-000000000000';
    for (;;) {
      const { rows } = await sql.query<{
        id: JobId;
        kind: string;
        labels: DueEntry['labels'];
        run_at: Date;
      }>(readJobs, [after, ENTRIES_AT_ONCE]);
      const last = rows.at(-1);
      if (!last) return;
      await addEntries(
        queues,
        rows.map(({ id, run_at, ...entry }) => ({ ...entry, jobId: id, runAt: run_at })),
        new Date(),
      );
      after = last.id;
    }
  } finally {
    await Promise.all(Object.values(queues.of).map((queue) => queue.close()));
    queues.redis.disconnect();
  }
}

const readJobs =
  'select id, kind, labels, run_at from job where finished_at is null and id > $1 order by id limit $2';
