import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { JobId } from '../../../domain/shared/ids.ts';
import { OWN_APP_PROVIDER } from '../../../domain/verify/channel.ts';
import type { CodeChannel } from '../../../domain/verify/port.ts';
import { batcher } from '../engine/batcher.ts';
import type { EngineReason } from '../../../domain/job/reasons.ts';

const BATCH_MAX = 200;
const BATCHES_IN_FLIGHT_MAX = 2;

/**
 * A push to Navbat's own app: a challenge that waits for it. The row is written whether anybody has the app or not, and the answer is
 * always the same, so that a project learns nothing of who is there. What rings the phone follows from the notice beside it.
 */
export function ownApp(pool: pg.Pool, now: () => Date): CodeChannel {
  const open = batcher({
    name: 'challenge',
    sizeMax: BATCH_MAX,
    inFlightMax: BATCHES_IN_FLIGHT_MAX,
    run: (jobIds: readonly JobId[]) => openAll(pool, jobIds, now()),
  });
  return {
    channel: 'push',
    provider: OWN_APP_PROVIDER,
    send: ({ jobId }) =>
      open(jobId).then(
        (reference) => ({ kind: 'accepted', reference, cost: null }),
        () => ({ kind: 'faulted', reason: 'provider-unavailable' satisfies EngineReason }),
      ),
  };
}

async function openAll(pool: pg.Pool, jobIds: readonly JobId[], now: Date): Promise<string[]> {
  const rows = jobIds.map((jobId) => ({ id: uuidv7({ msecs: now.getTime() }), job_id: jobId }));
  const opened = await pool.query<{ id: string; job_id: string }>({
    name: 'open-challenges',
    text: openChallenges,
    values: [JSON.stringify(rows), now],
  });
  const byJob = new Map(opened.rows.map(({ id, job_id }) => [job_id, id]));
  return jobIds.map((jobId) => {
    const id = byJob.get(jobId);
    if (id === undefined) throw new Error(`no verification of job ${jobId}`);
    return id;
  });
}

/**
 * One send, one challenge: an attempt that is made again finds it, and rings nobody twice. A phone is asked of who proved it; that it is
 * a recipient's is the project's word, by which a person could say yes for somebody else's number.
 */
const openChallenges = `
with opened as (
  insert into challenge (id, job_id, verification_id, project_id, person_id, created_at, expires_at)
  select w.id, j.id, v.id, v.project_id, coalesce(p.person_id, r.person_id), $2, v.expires_at
  from json_to_recordset($1) as w (id uuid, job_id uuid) join job j on j.id = w.job_id join verification v on v.id = j.subject_id
  left join person_phone p on p.address_hash = v.address_hash
  left join recipient r on r.address_hash = v.address_hash and r.project_id = v.project_id and r.phone is null
  order by j.id
  on conflict (job_id) do update set job_id = excluded.job_id returning id, job_id, person_id, old.id is null fresh),
told as (
  insert into person_notice (id, person_id, kind, subject_id, at)
  select uuidv7(), person_id, 'challenge', id, $2 from opened where person_id is not null and fresh)
select id, job_id from opened`;
