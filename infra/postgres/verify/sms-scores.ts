import { LRUCache } from 'lru-cache';
import type { Pool, PoolClient } from 'pg';
import {
  type OperatorScore,
  type Scores,
  scoresOf,
  TRIAL_MATURE_MS,
  withTrials,
} from '../../../domain/verify/sms-choice.ts';
import type { SmsProvider } from '../../../domain/verify/sms-provider.ts';
import { inTransaction } from '../engine/transaction.ts';

/** 5 s: scores move within minutes, and a send costs no read of its own. */
const FRESH_MS = 5_000;
/** 200 routes of three providers are the most that an installation may have. */
const SCORES_MAX = 600;
/** As many as come in ten seconds where a thousand SMS are sent each second. */
const TRIALS_MAX = 1_000;

/** What is known of the providers for the numbers of one operator, from memory. */
export function smsScores(
  pool: Pool,
  now: () => Date,
): { readonly of: (operator: string) => Promise<Scores> } {
  const cache = new LRUCache<'all', readonly OperatorScore[]>({
    max: 1,
    ttl: FRESH_MS,
    fetchMethod: () => readScores(pool),
  });
  return {
    of: async (operator) => scoresOf(cache.get('all') ?? (await cache.fetch('all')) ?? [], operator, now()),
  };
}

async function readScores(db: Pick<Pool, 'query'>): Promise<readonly OperatorScore[]> {
  const { rows } = await db.query<OperatorScore>(selectScores, [SCORES_MAX]);
  return rows;
}

const selectScores = `select operator, provider, sent, arrived, at from sms_score order by at desc limit $1`;

/**
 * Counts the trials that are old enough to be known, each once.
 *
 * @param operators prefixes under which numbers are measured.
 * @returns whether there are more than one call takes.
 */
export async function countTrials(
  pool: Pool,
  operators: readonly string[],
  now: Date,
): Promise<{ readonly more: boolean }> {
  return inTransaction(pool, async (tx) => {
    const { rows: marks } = await tx.query<MarkRow>(lockMark);
    const [mark] = marks;
    // Another worker counts.
    if (!mark) return { more: false };
    const { rows: trials } = await tx.query<TrialRow>(selectTrials, [
      mark.opened_at,
      mark.job_id,
      mark.n,
      new Date(now.getTime() - TRIAL_MATURE_MS),
      TRIALS_MAX,
      operators,
      TRIAL_MATURE_MS,
    ]);
    const last = trials.at(-1);
    if (last) {
      await keep(tx, trials, now);
      await tx.query(moveMark, [last.opened_at, last.job_id, last.n]);
    }
    return { more: trials.length === TRIALS_MAX };
  });
}

async function keep(tx: PoolClient, trials: readonly TrialRow[], now: Date): Promise<void> {
  const scores = new Map((await readScores(tx)).map((score) => [keyOf(score), score]));
  const changed = new Set<string>();
  for (const { operator, provider, counts, arrived } of trials) {
    if (!counts || operator === null) continue;
    const key = keyOf({ operator, provider });
    const trial = { sent: 1, arrived: arrived ? 1 : 0 };
    scores.set(key, { operator, provider, ...withTrials(scores.get(key), trial, now) });
    changed.add(key);
  }
  if (changed.size === 0) return;
  await tx.query(upsertScores, [JSON.stringify([...changed].map((key) => scores.get(key)))]);
}

const keyOf = ({ operator, provider }: Pick<OperatorScore, 'operator' | 'provider'>) =>
  `${operator} ${provider}`;

/** The time as text: to the microsecond. */
interface MarkRow {
  readonly opened_at: string;
  readonly job_id: string;
  readonly n: number;
}
interface TrialRow extends MarkRow {
  /** Null where no route has the number any more. */
  readonly operator: string | null;
  readonly provider: SmsProvider;
  readonly counts: boolean | null;
  readonly arrived: boolean | null;
}

const lockMark = `select opened_at::text, job_id, n from sms_score_mark for update skip locked`;
const moveMark = `update sms_score_mark set opened_at = $1::timestamptz, job_id = $2, n = $3`;

/**
 * What was refused cost nothing and says nothing of delivery. What strangers ask for is not counted, or somebody could type the codes of one
 * provider and leave those of another; whoever was right before from where they ask is none. A code counts for its message where it
 * was right before anything else was sent of it, and within the time that each has.
 */
export const selectTrials = `
with trial as (
  select job_id, n, opened_at, provider, outcome from attempt
  where chosen = 'trial' and (opened_at, job_id, n) > ($1::timestamptz, $2::uuid, $3::int) and opened_at <= $4
  order by opened_at, job_id, n limit $5)
select t.opened_at::text, t.job_id, t.n, t.provider,
  (select prefix from unnest($6::text[]) prefix where starts_with(v.phone, prefix) order by length(prefix) desc limit 1) operator,
  t.outcome in ('completed', 'unknown') and v.mode = 'live' and (v.asked_by = 'service' or v.asked_known) counts,
  v.state = 'approved' and v.closed_at <= t.opened_at + $7::int * interval '1 millisecond' and not exists (
    select from job k join attempt b on b.job_id = k.id
    where k.subject_id = v.id and b.opened_at > t.opened_at and b.opened_at < v.closed_at) arrived
from trial t left join job j on j.id = t.job_id left join verification v on v.id = j.subject_id
order by t.opened_at, t.job_id, t.n`;

const upsertScores = `
insert into sms_score (operator, provider, sent, arrived, at)
select operator, provider, sent, arrived, at
from json_to_recordset($1) as w (operator text, provider text, sent float8, arrived float8, at timestamptz)
on conflict (operator, provider) do update set sent = excluded.sent, arrived = excluded.arrived, at = excluded.at`;
