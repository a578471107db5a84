import { LRUCache } from 'lru-cache';
import type { Pool, PoolClient } from 'pg';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import {
  asTold,
  type Counts,
  countsOf,
  type OperatorScore,
  type ProviderScore,
  SCORE_HALF_LIFE_SECONDS,
  type Scores,
  TRIAL_MATURE_MS,
  TRIALS_TOLD_MAX,
  withTrials,
} from '../../../domain/verify/sms-choice.ts';
import type { SmsProvider } from '../../../domain/verify/sms-provider.ts';
import { inTransaction } from '../engine/transaction.ts';

/** 5 s: scores move within minutes, and a send costs no read of its own. */
const OWN_FRESH_MS = 5_000;
/** 30 s: which projects know most is asked of all rows. */
const OTHERS_FRESH_MS = 30_000;
/** Projects that send at once; the least used one is read again. */
const PROJECTS_MAX = 10_000;
/** 200 routes of three providers are the most that an installation may have. */
const SCORES_MAX = 600;
/** Of seven trials each, four are a proof; of so many, four that lie together change shares by a tenth at most. */
const OTHERS_MAX = 50;
/** As many as come in ten seconds where a thousand SMS are sent each second. */
const TRIALS_MAX = 1_000;

/** What a project may know of the providers for the numbers of one operator, from memory. */
export function smsScores(
  pool: Pool,
  now: () => Date,
): { readonly of: (projectId: ProjectId, operator: string) => Promise<Scores> } {
  const own = new LRUCache<ProjectId, readonly OperatorScore[]>({
    max: PROJECTS_MAX,
    ttl: OWN_FRESH_MS,
    fetchMethod: (projectId) => readOwn(pool, projectId),
  });
  const others = new LRUCache<'all', Telling>({
    max: 1,
    ttl: OTHERS_FRESH_MS,
    fetchMethod: () => readTelling(pool, now()),
  });
  return {
    of: async (projectId, operator) => {
      const rows = own.get(projectId) ?? (await own.fetch(projectId)) ?? [];
      const telling = others.get('all') ?? (await others.fetch('all'));
      const told = [...(telling?.(operator) ?? [])].filter(([id]) => id !== projectId);
      return { own: countsOf(rows, operator, now()), others: told.map(([, counts]) => counts) };
    },
  };
}

/** What each project tells the others of an operator. */
type Telling = (operator: string) => ReadonlyMap<ProjectId, Counts>;

async function readTelling(pool: Pool, at: Date): Promise<Telling> {
  const { rows } = await pool.query<OperatorScore>(selectOthers, [
    at,
    SCORE_HALF_LIFE_SECONDS,
    TRIALS_TOLD_MAX,
    OTHERS_MAX,
  ]);
  const byProject = Map.groupBy(rows, ({ projectId }) => projectId);
  // As many as there are routes.
  const told = new Map<string, ReadonlyMap<ProjectId, Counts>>();
  return (operator) => {
    const known =
      told.get(operator) ??
      new Map([...byProject].map(([id, of]) => [id, asTold(countsOf(of, operator, at), at)]));
    told.set(operator, known);
    return known;
  };
}

async function readOwn(pool: Pool, projectId: ProjectId): Promise<readonly OperatorScore[]> {
  const { rows } = await pool.query<OperatorScore>(selectOwn, [projectId, SCORES_MAX]);
  return rows;
}

export const selectOwn = `
select project_id "projectId", operator, provider, sent, arrived, at from sms_score where project_id = $1 order by at desc limit $2`;

/** Of the projects whose trials tell most; of as many, of the oldest projects, so that new ones take nobody's place. */
export const selectOthers = `
with known as (
  select project_id, least($3::float8, sum(sent * power(0.5::float8, extract(epoch from greatest($1::timestamptz - at, interval '0'))::float8 / $2::float8))) trials
  from sms_score group by project_id, provider),
telling as (select project_id from known group by project_id order by sum(trials) desc, project_id limit $4)
select s.project_id "projectId", s.operator, s.provider, s.sent, s.arrived, s.at from telling join sms_score s using (project_id)`;

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
  const counted = trials.flatMap(({ projectId, operator, provider, counts, arrived }) =>
    counts && operator !== null ? [{ projectId, operator, provider, arrived: arrived ? 1 : 0 }] : [],
  );
  if (counted.length === 0) return;
  const { rows } = await tx.query<OperatorScore>(selectCounted, [JSON.stringify(counted)]);
  const scores = new Map(rows.map((score) => [keyOf(score), score]));
  for (const { projectId, operator, provider, arrived } of counted) {
    const key = keyOf({ projectId, operator, provider });
    const score = withTrials(scores.get(key), { sent: 1, arrived }, now);
    scores.set(key, { projectId, operator, provider, ...score });
  }
  await tx.query(upsertScores, [JSON.stringify([...scores.values()])]);
}

const keyOf = ({ projectId, operator, provider }: Omit<OperatorScore, keyof ProviderScore>) =>
  `${projectId} ${operator} ${provider}`;

/** The time as text: to the microsecond. */
interface MarkRow {
  readonly opened_at: string;
  readonly job_id: string;
  readonly n: number;
}
interface TrialRow extends MarkRow {
  readonly projectId: ProjectId;
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
  select job_id, n, opened_at, project_id, provider, outcome from attempt
  where chosen = 'trial' and (opened_at, job_id, n) > ($1::timestamptz, $2::uuid, $3::int) and opened_at <= $4
  order by opened_at, job_id, n limit $5)
select t.opened_at::text, t.job_id, t.n, t.project_id "projectId", t.provider,
  (select prefix from unnest($6::text[]) prefix where starts_with(v.phone, prefix) order by length(prefix) desc limit 1) operator,
  t.outcome in ('completed', 'unknown') and v.mode = 'live' and (v.asked_by = 'service' or v.asked_known) counts,
  v.state = 'approved' and v.closed_at <= t.opened_at + $7::int * interval '1 millisecond' and not exists (
    select from job k join attempt b on b.job_id = k.id
    where k.subject_id = v.id and b.opened_at > t.opened_at and b.opened_at < v.closed_at) arrived
from trial t left join job j on j.id = t.job_id left join verification v on v.id = j.subject_id
order by t.opened_at, t.job_id, t.n`;

const selectCounted = `
select project_id "projectId", operator, provider, sent, arrived, at from sms_score
where (project_id, operator, provider) in (
  select * from json_to_recordset($1) as w ("projectId" uuid, operator text, provider text))`;

const upsertScores = `
insert into sms_score (project_id, operator, provider, sent, arrived, at)
select "projectId", operator, provider, sent, arrived, at
from json_to_recordset($1) as w ("projectId" uuid, operator text, provider text, sent float8, arrived float8, at timestamptz)
on conflict (project_id, operator, provider) do update set sent = excluded.sent, arrived = excluded.arrived, at = excluded.at`;
