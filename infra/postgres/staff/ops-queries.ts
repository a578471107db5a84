import type { Pool } from 'pg';
import { z } from 'zod';
import { JobId } from '../../../domain/shared/ids.ts';
import { maskPhone } from '../../../domain/shared/phone.ts';
import {
  AccountLine,
  AddressHash,
  AttemptFailureGroup,
  AttemptLine,
  DestinationLock,
  FailureGroup,
  JobLine,
  type JobFilter,
  type JobPage,
  KindCount,
  QueueLine,
  type Overview,
  type Recipient,
  type StaffQueries,
  type Timeline,
  type TimelineEvent,
  VerificationLine,
} from '../../../domain/staff/ops.ts';
import { readHeartbeats, readEndpoints, readProviders } from './alarm-queries.ts';
import { alarmsOf, ProductAlarm } from '../../../domain/staff/alarms.ts';
import { idFloor, jobConditions, type Parameters, parameters } from '../job/filter.ts';
import type { OpsView } from './ops-view.ts';
import { type Kinds, waitsUntil } from '../job/settle.ts';

/** Groups of failures that a page shows; what lies beyond has happened once or twice. */
const GROUPS_MAX = 100;
/** Projects that a form offers. */
const PROJECTS_MAX = 500;

const jobColumns = `job.id, job.kind, project.slug as project, job.state, job.reason, job.labels, job.attempts,
  job.accepted_at as "acceptedAt", job.run_at as "runAt", job.finished_at as "finishedAt",
  case when job.state = 'running' then exists (select from attempt a where a.job_id = job.id and a.outcome is null) else false end as "isOpen"`;
const attemptColumns = `job_id as "jobId", n, channel, provider, outcome, reason, provider_reference as "providerReference",
  cost_micros::text as "costMicros", cost_currency as "costCurrency", parts, price_micros::text as "priceMicros", price_currency as "priceCurrency", chosen, chosen_after as "chosenAfter", latency_ms as "latencyMs", provider_message as "providerMessage", opened_at as "openedAt",
  closed_at as "closedAt", delivery, delivery_reason as "deliveryReason", delivery_at as "deliveryAt"`;

/** Of the kinds of this installation: what a product that is off left behind is not shown. */
const shown = <Line extends { readonly kind: string }>(
  { jobs: registry }: Kinds,
  lines: readonly Line[],
): Line[] => lines.filter(({ kind }) => Object.hasOwn(registry, kind));

/** The same in SQL, where a page has room for so many lines only. */
const isShown = ({ jobs: registry }: Kinds, { put }: Parameters): string =>
  `job.kind = any(${put(Object.keys(registry))})`;

export function opsQueries(pool: Pool, kinds: Kinds, view: OpsView): StaffQueries {
  return {
    overview: (since, now) => overview(pool, { kinds, view }, since, now),
    jobs: (filter, limit, after) => jobs(pool, filter, limit, after),
    job: (id, now) => job(pool, kinds, view, id, now),
    find: (id) => find(pool, id),
    recipient: (address, now) => recipient(pool, view, address, now),
    timeline: (address, limit, after) => timeline(pool, view, address, limit, after),
    failures: async (filter, since) => {
      const [failedJobs, failedAttempts] = await Promise.all([
        jobFailures(pool, kinds, { ...filter, since }),
        attemptFailures(pool, kinds, { ...filter, since }),
      ]);
      return { jobs: failedJobs, attempts: failedAttempts };
    },
    queues: () => queues(pool),
    projects: () => projects(pool),
  };
}

const UnfinishedCount = KindCount.extend({ due: z.int(), oldestDueAt: z.date().nullable() });

async function overview(
  pool: Pool,
  { kinds, view }: { readonly kinds: Kinds; readonly view: OpsView },
  since: Date,
  now: Date,
): Promise<Overview> {
  const [unfinishedCounts, accepted, queueLines, accountRows, ...seen] = await Promise.all([
    unfinishedJobs(pool, now),
    acceptedSince(pool, since),
    queues(pool),
    view.accounts?.(pool, now) ?? [],
    readHeartbeats(pool),
    readEndpoints(pool, now),
    readProviders(pool, now),
    view.alarms?.(pool, now) ?? [],
  ]);
  const unfinished = shown(kinds, unfinishedCounts);
  const waiting = waitingByKind(unfinished);
  const [heartbeats, endpoints, providers, ofProducts] = seen;
  const accounts = AccountLine.array().parse(accountRows);
  return {
    at: now,
    unfinished: KindCount.array().parse(unfinished),
    accepted: { since, counts: shown(kinds, accepted) },
    waiting,
    queues: shown(kinds, queueLines),
    accounts,
    alarms: [
      ...alarmsOf(
        { waiting, heartbeats, queues: queueLines, endpoints, providers, accounts },
        Object.keys(kinds.jobs),
        now,
      ),
      ...ProductAlarm.array().parse(ofProducts),
    ],
  };
}

async function unfinishedJobs(pool: Pool, now: Date): Promise<z.infer<typeof UnfinishedCount>[]> {
  const { rows } = await pool.query(
    `select kind, slug as project, state, jobs, due, "oldestDueAt"
         from (select kind, project_id, state, count(*)::int as jobs,
                      count(*) filter (where state in ('queued', 'retrying') and run_at <= $1)::int as due,
                      min(run_at) filter (where state in ('queued', 'retrying') and run_at <= $1) as "oldestDueAt"
                 from job where finished_at is null group by kind, project_id, state) counted
         join project on project.id = project_id
        order by kind, project, state`,
    [now],
  );
  return UnfinishedCount.array().parse(rows);
}

async function acceptedSince(pool: Pool, since: Date): Promise<Overview['unfinished']> {
  const { rows } = await pool.query(
    `select kind, slug as project, state, jobs
       from (select kind, project_id, state, count(*)::int as jobs
               from job where id >= $1::uuid group by kind, project_id, state) counted
       join project on project.id = project_id
      order by kind, project, state`,
    [idFloor(since)],
  );
  return KindCount.array().parse(rows);
}

function waitingByKind(counts: readonly z.infer<typeof UnfinishedCount>[]): Overview['waiting'] {
  return [...Map.groupBy(counts, ({ kind }) => kind)].map(([kind, lines]) => {
    const [oldest] = lines
      .flatMap(({ state, oldestDueAt: at }) => (at ? [{ state, at }] : []))
      .toSorted((one, other) => one.at.getTime() - other.at.getTime());
    return {
      kind,
      jobs: lines.reduce((sum, line) => sum + line.due, 0),
      oldestDueAt: oldest?.at ?? null,
      oldestState: oldest?.state ?? null,
    };
  });
}

async function jobs(pool: Pool, filter: JobFilter, limit: number, after: JobId | null): Promise<JobLine[]> {
  const bound = parameters();
  const where = jobConditions(filter, bound);
  const older = after ? `and job.id < ${bound.put(after)}` : '';
  const { rows } = await pool.query(
    `select ${jobColumns}
       from job join project on project.id = job.project_id
      where ${where} ${older}
      order by job.id desc
      limit ${bound.put(limit)}`,
    bound.values,
  );
  return JobLine.array().parse(rows);
}

const JobDetail = JobLine.extend({
  deadlineAt: z.date(),
  requestId: z.string().nullable(),
  subjectId: z.string(),
  address: AddressHash.nullable(),
  isAwaited: z.boolean(),
});

async function job(pool: Pool, kinds: Kinds, view: OpsView, id: JobId, now: Date): Promise<JobPage | null> {
  const { rows } = await pool.query(
    `select ${jobColumns}, job.deadline_at as "deadlineAt", job.request_id as "requestId", job.subject_id as "subjectId",
            encode(job.address_hash, 'hex') as address, ${waitsUntil(kinds, '$2')} is not null as "isAwaited"
       from job join project on project.id = job.project_id
      where job.id = $1`,
    [id, now],
  );
  const found = JobDetail.optional().parse(rows[0]);
  if (!found) return null;
  const [attemptLines, verifications, block] = await Promise.all([
    attemptsOf(pool, [id]),
    verificationsOf(pool, view, [id]),
    view.block?.(pool, id, now) ?? null,
  ]);
  return { ...found, attemptLines, verification: verifications[0] ?? null, block };
}

async function attemptsOf(pool: Pool, ids: readonly JobId[]): Promise<AttemptLine[]> {
  const { rows } = await pool.query(
    `select ${attemptColumns} from attempt where job_id = any($1) order by job_id, n`,
    [ids],
  );
  return AttemptLine.array().parse(rows);
}

const verificationsOf = async (
  pool: Pool,
  view: OpsView,
  ids: readonly JobId[],
): Promise<VerificationLine[]> =>
  VerificationLine.array().parse((await view.verifications?.(pool, ids)) ?? []);

const Found = z.object({ job: JobId.nullable(), address: AddressHash.nullable() });

async function find(pool: Pool, id: string): ReturnType<StaffQueries['find']> {
  const { rows } = await pool.query(
    `select coalesce((select id from job where id = $1),
                     (select id from job where subject_id = $1 order by id desc limit 1)) as job,
            (select encode(address_hash, 'hex') from recipient where id = $1) as address`,
    [id],
  );
  const { job: jobId, address } = Found.parse(rows[0]);
  if (jobId) return { kind: 'job', id: jobId };
  return address ? { kind: 'recipient', address } : null;
}

const KnownRecipient = z.object({
  project: z.string(),
  recipientId: z.string(),
  handle: z.string().nullable(),
  phone: z.string().nullable(),
  telegram: z.boolean(),
  telegramBlockedAt: z.date().nullable(),
  push: z.boolean(),
  locale: z.string().nullable(),
});

async function recipient(pool: Pool, view: OpsView, address: AddressHash, now: Date): Promise<Recipient> {
  const { rows } = await pool.query(
    `select slug as project, recipient.id as "recipientId", handle, phone, telegram_chat_id is not null as telegram,
            telegram_blocked_at as "telegramBlockedAt", push_token_encrypted is not null as push, locale
       from recipient join project on project.id = project_id
      where address_hash = decode($1, 'hex')
      order by slug`,
    [address],
  );
  const known = KnownRecipient.array().parse(rows);
  return {
    address,
    known: known.map((one) => ({ ...one, phone: one.phone && maskPhone(one.phone) })),
    locks: DestinationLock.array().parse((await view.locks?.(pool, address, now)) ?? []),
  };
}

async function timeline(
  pool: Pool,
  view: OpsView,
  address: AddressHash,
  limit: number,
  after: JobId | null,
): Promise<Timeline> {
  const page = await jobs(pool, { address }, limit + 1, after);
  const shown = page.slice(0, limit);
  const ids = shown.map(({ id }) => id);
  const [attempts, verifications] = await Promise.all([
    attemptsOf(pool, ids),
    verificationsOf(pool, view, ids),
  ]);
  const events = [
    ...shown.flatMap(jobEvents),
    ...attempts.flatMap(attemptEvents),
    ...verifications.flatMap(verificationEvents),
  ];
  return {
    // Newest first, as all lists here; of two things in one millisecond the later one in the chain comes first.
    events: events.toReversed().toSorted((a, b) => b.at.getTime() - a.at.getTime()),
    next: page.length > limit ? (ids.at(-1) ?? null) : null,
  };
}

function jobEvents(line: JobLine): TimelineEvent[] {
  const accepted = { kind: 'job', event: 'accepted', at: line.acceptedAt, job: line } as const;
  return line.finishedAt
    ? [accepted, { kind: 'job', event: 'finished', at: line.finishedAt, job: line }]
    : [accepted];
}

/** One event for the try, at its end where it has one, and one for what the provider said later. */
function attemptEvents(attempt: AttemptLine): TimelineEvent[] {
  const { openedAt, closedAt, deliveryAt } = attempt;
  const tried = closedAt
    ? ({ kind: 'attempt', event: 'closed', at: closedAt, attempt } as const)
    : ({ kind: 'attempt', event: 'opened', at: openedAt, attempt } as const);
  return deliveryAt ? [tried, { kind: 'attempt', event: 'delivery', at: deliveryAt, attempt }] : [tried];
}

function verificationEvents(verification: VerificationLine): TimelineEvent[] {
  const { createdAt, closedAt } = verification;
  const created = { kind: 'verification', event: 'created', at: createdAt, verification } as const;
  return closedAt
    ? [created, { kind: 'verification', event: 'closed', at: closedAt, verification }]
    : [created];
}

async function jobFailures(pool: Pool, kinds: Kinds, filter: JobFilter): Promise<FailureGroup[]> {
  const bound = parameters();
  const where = jobConditions({ ...filter, states: ['rejected', 'failed', 'expired'] }, bound);
  const { rows } = await pool.query(
    `select job.kind, job.state, job.reason, count(*)::int as jobs, count(distinct job.project_id)::int as projects,
            max(job.finished_at) as "lastAt", max(job.id::text) as "exampleId"
       from job
      where ${where} and ${isShown(kinds, bound)}
      group by job.kind, job.state, job.reason
      order by jobs desc, job.reason
      limit ${GROUPS_MAX}`,
    bound.values,
  );
  return FailureGroup.array().parse(rows);
}

async function attemptFailures(pool: Pool, kinds: Kinds, filter: JobFilter): Promise<AttemptFailureGroup[]> {
  const bound = parameters();
  const where = jobConditions(filter, bound);
  const { rows } = await pool.query(
    `select job.kind, attempt.channel, attempt.provider, attempt.outcome, attempt.reason, count(*)::int as attempts,
            count(distinct job.id)::int as jobs, max(attempt.closed_at) as "lastAt", max(job.id::text) as "exampleId"
       from job join attempt on attempt.job_id = job.id
      where ${where} and ${isShown(kinds, bound)} and attempt.outcome in ('rejected', 'failed', 'unknown')
      group by job.kind, attempt.channel, attempt.provider, attempt.outcome, attempt.reason
      order by attempts desc, attempt.provider, attempt.reason
      limit ${GROUPS_MAX}`,
    bound.values,
  );
  return AttemptFailureGroup.array().parse(rows);
}

async function queues(pool: Pool): Promise<QueueLine[]> {
  const { rows } = await pool.query(
    'select kind, paused_at as "pausedAt", paused_by as "pausedBy", paused_reason as "pausedReason" from queue order by kind',
  );
  return QueueLine.array().parse(rows);
}

async function projects(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query('select slug from project order by slug limit $1', [PROJECTS_MAX]);
  return z
    .object({ slug: z.string() })
    .array()
    .parse(rows)
    .map(({ slug }) => slug);
}
