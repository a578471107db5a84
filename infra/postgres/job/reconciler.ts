import type pg from 'pg';
import type { FinalState, JobId, EntryLabels } from '../../../domain/job/job.ts';
import { countFinished } from '../../process/metrics.ts';
import type { DueTicket } from '../../queue/entries.ts';
import { type Kinds, kindsThatConfirm } from './settle.ts';
import { stuckJobs } from './stuck.ts';

/** An intake publishes within milliseconds; what is this old was left behind by a crash or a dead Redis. */
const UNPUBLISHED_AFTER_MS = 5_000;
/** Published batches are kept for a look at what went wrong. */
const OUTBOX_KEPT_MS = 60_000;
const OUTBOX_ROWS_MAX = 100;
/** What tells a device of its end was handed over long before, but for an outage. */
const REVOKED_ADDRESS_KEPT_MS = 3_600_000;
/** An attempt that was opened at the last moment is its worker's to close, until its time-out and a slow commit are over. */
const graceMs = ({ jobs }: Kinds) =>
  Math.max(...Object.values(jobs).map(({ attemptTimeoutMs }) => attemptTimeoutMs)) + 5_000;
const EXPIRED_ROWS_MAX = 2_000;
const DAY_MS = 86_400_000;
/** What test keys made: long enough to look at a failed run of yesterday, and so short that a test suite fills no disk. */
const TEST_KEPT_DAYS = 1;
/** Changes of counts taken up in one round: what a busy second writes, many times over. */
const FOLDED_ROWS_MAX = 50_000;
/** Idempotency keys of sends are kept for a day (contracts §2). */
const REQUEST_KEPT_DAYS = 1;
/** A budget is a day's; a month and some days of them explain a bill. */
const SPEND_KEPT_DAYS = 40;
/** No limit and no lock looks further back than a day; a second one for clocks and time zones. */
const LIMITS_KEPT_DAYS = 2;
/** 4 MB of a table in one round, a minute apart: some milliseconds each, and 5 GB a day. */
const WALKED_PAGES = 512;
const DELETED_ROWS_MAX = 5_000;

interface TicketRow {
  readonly id: JobId;
  readonly kind: string;
  readonly labels: EntryLabels;
  readonly run_at: Date;
}

const toTicket = ({ id, kind, labels, run_at }: TicketRow): DueTicket => ({
  jobId: id,
  kind,
  labels,
  runAt: run_at,
});

export interface LostBatches {
  readonly ids: readonly string[];
  readonly tickets: readonly DueTicket[];
}

/** What the sweep reads and writes in Postgres. Each statement is bounded, whatever the backlog. */
export interface SweepQueries {
  unpublished(now: Date): Promise<LostBatches>;
  markPublished(ids: readonly string[], now: Date): Promise<void>;
  /** Unfinished jobs by id, after `after`: a page of a walk over all of them. Those that wait for their turn have no ticket. */
  unfinishedAfter(
    after: string | null,
    limit: number,
  ): Promise<{ readonly tickets: readonly DueTicket[]; readonly next: string | null }>;
  /** Jobs whose time is up, and subjects of theirs. */
  expire(now: Date): Promise<number>;
  freeStuck(now: Date): Promise<number>;
  pausedKinds(): Promise<ReadonlySet<string>>;
  /** One bounded round of deleting what retention no longer keeps. */
  retire(now: Date, keep: { jobDays: number; phoneDays: number }): Promise<Retired>;
}

export interface Retired {
  readonly rows: number;
  /** The round was full: there is more than it could take. */
  readonly more: boolean;
}

export function sweepQueries(pool: pg.Pool, kinds: Kinds): SweepQueries {
  const walks: Walks = new Map();
  return {
    unpublished: async (now) => {
      const batches = await pool.query<{ id: string; job_ids: string[] }>(readUnpublished, [
        new Date(now.getTime() - UNPUBLISHED_AFTER_MS),
        OUTBOX_ROWS_MAX,
      ]);
      const jobIds = batches.rows.flatMap((row) => row.job_ids);
      const jobs = await pool.query<TicketRow>(
        'select id, kind, labels, run_at from job where id = any($1) and finished_at is null',
        [jobIds],
      );
      return { ids: batches.rows.map(({ id }) => id), tickets: jobs.rows.map(toTicket) };
    },
    markPublished: async (ids, now) => {
      await pool.query('update outbox set published_at = $2 where id = any($1::bigint[])', [ids, now]);
    },
    unfinishedAfter: async (after, limit) => {
      const { rows } = await pool.query<TicketRow & { released: boolean }>(readUnfinished, [
        after ?? FIRST_ID,
        limit,
      ]);
      const tickets = rows.filter(({ released }) => released).map(toTicket);
      return { tickets, next: rows.length < limit ? null : (rows.at(-1)?.id ?? null) };
    },
    expire: async (now) => {
      await pool.query(foldCounts, [FOLDED_ROWS_MAX]);
      return expire(pool, kinds, now);
    },
    freeStuck: stuckJobs(pool, kinds.settles),
    pausedKinds: async () => {
      const { rows } = await pool.query<{ kind: string }>(
        'select kind from lane where paused_at is not null',
      );
      return new Set(rows.map(({ kind }) => kind));
    },
    retire: (now, keep) => retire(pool, walks, now, keep),
  };
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

const readUnpublished = `select id, job_ids from outbox where published_at is null and at < $1 order by at limit $2`;

/** By the partial index of unfinished rows, so that its cost does not grow with what is finished. */
const readUnfinished = `select id, kind, labels, run_at, released_at is not null released from job where finished_at is null and id > $1 order by id limit $2`;

async function expire(pool: pg.Pool, kinds: Kinds, now: Date): Promise<number> {
  const late = new Date(now.getTime() - graceMs(kinds));
  const jobs = await pool.query<{ kind: string; state: FinalState }>(expireJobs, [
    now,
    late,
    EXPIRED_ROWS_MAX,
    kindsThatConfirm(kinds.jobs),
  ]);
  const subjects = new Set(Object.values(kinds.settles).map(({ expire: sql }) => sql));
  for (const sql of subjects) if (sql !== undefined) await pool.query(sql, [now, late, EXPIRED_ROWS_MAX]);
  for (const { kind, state } of jobs.rows) countFinished(kind, state, 1);
  return jobs.rowCount ?? 0;
}

/** `$4`: kinds that are completed where a provider took the job (`JobDefinition.deadline`). */
const expireJobs = `
with late as (
  select id from job where finished_at is null and deadline_at < $2 order by deadline_at limit $3 for update skip locked),
done as (
  update job j set finished_at = $1,
    (state, reason) = (select case when taken then 'completed' else 'expired' end, case when taken then 'unconfirmed' else 'deadline' end
      from (select j.kind = any($4) and exists (select from attempt a where a.job_id = j.id and a.outcome = 'completed') taken) t)
  from late where j.id = late.id
  returning j.id, j.kind, j.state),
abandoned as (
  update attempt a set outcome = 'unknown', reason = 'worker-lost', closed_at = $1 from done where a.job_id = done.id and a.outcome is null)
select kind, state from done`;

/**
 * Takes changes of counts into the counts. One statement, so that whoever adds both up sees each change once; a second sweep
 * passes over what the first one holds, and both lock counts in one order.
 */
const foldCounts = `
with taken as (
  delete from project_rows_change where ctid = any(array(select ctid from project_rows_change limit $1 for update skip locked))
  returning project_id, what, n)
insert into project_rows as r (project_id, what, n) select project_id, what, sum(n) from taken group by 1, 2 order by 1, 2
on conflict (project_id, what) do update set n = r.n + excluded.n`;

/** Where the walk over each table goes on; any number of sweeps may walk at once. */
type Walks = Map<WalkedTable, number>;

async function retire(
  pool: pg.Pool,
  walks: Walks,
  now: Date,
  keep: { jobDays: number; phoneDays: number },
): Promise<Retired> {
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY_MS);
  const rounds: readonly (readonly [sql: string, before: Date])[] = [
    [retireJobs, daysAgo(keep.jobDays)],
    [retireTestJobs, daysAgo(TEST_KEPT_DAYS)],
    [erasePhones, daysAgo(keep.phoneDays)],
    [retireVerifications, daysAgo(keep.jobDays)],
    [retireTestVerifications, daysAgo(TEST_KEPT_DAYS)],
    [retireEvents, daysAgo(keep.jobDays)],
    [retireTestEvents, daysAgo(TEST_KEPT_DAYS)],
    [retireBroadcasts, daysAgo(keep.jobDays)],
    [retireTestBroadcasts, daysAgo(TEST_KEPT_DAYS)],
    [retireEndpoints, daysAgo(keep.jobDays)],
    [retireRequests, daysAgo(REQUEST_KEPT_DAYS)],
    [retireSpend, daysAgo(SPEND_KEPT_DAYS)],
    [retireOutbox, new Date(now.getTime() - OUTBOX_KEPT_MS)],
    [retireSessions, daysAgo(keep.jobDays)],
    [retireEnrolments, now],
    [retireChallenges, daysAgo(keep.jobDays)],
    [retireNotices, daysAgo(keep.jobDays)],
    [retireUnconfirmed, now],
    [forgetAddresses, new Date(now.getTime() - REVOKED_ADDRESS_KEPT_MS)],
    [forgetPreviousSecrets, now],
    [tellDevices, now],
  ];
  const counts: number[] = [];
  for (const [sql, before] of rounds)
    counts.push((await pool.query(sql, [before, DELETED_ROWS_MAX])).rowCount ?? 0);
  const more = counts.some((rows) => rows >= DELETED_ROWS_MAX);
  for (const table of walkedTables) counts.push(await walkOn(pool, walks, table, daysAgo(LIMITS_KEPT_DAYS)));
  return { rows: counts.reduce((sum, rows) => sum + rows, 0), more };
}

/**
 * What of each table still counts. Its rows are written with every send, so that an index on their age would cost each of
 * those; a walk over the table's pages in turn finds what is old within days, and nobody waits for it.
 */
const idleSince = {
  // A lock and a limit last a day at the most; wrong codes of a device count until nobody has tried for a year.
  destination: `updated_at < $1 and (locked_at is null or locked_at < $1)
    and (totp_failures = 0 or updated_at < $1 - interval '1 year')`,
  // Only a lock.
  paid_destination: 'locked_at < $1',
  // Halved each hour, it has decayed to nothing.
  prefix_score: 'at < $1',
} as const;
type WalkedTable = keyof typeof idleSince;
const walkedTables = Object.keys(idleSince) as readonly WalkedTable[];

async function walkOn(pool: pg.Pool, walks: Walks, table: WalkedTable, before: Date): Promise<number> {
  const from = walks.get(table) ?? 0;
  const { rowCount } = await pool.query(retireIdle(table), [
    before,
    `(${from},0)`,
    `(${from + WALKED_PAGES},0)`,
  ]);
  const { rows } = await pool.query<{ pages: number }>(
    `select (pg_relation_size($1::regclass) / current_setting('block_size')::int)::int pages`,
    [table],
  );
  const next = from + WALKED_PAGES;
  walks.set(table, next < (rows[0]?.pages ?? 0) ? next : 0);
  return rowCount ?? 0;
}

/** A row that a send holds at this moment is not idle. */
const retireIdle = (table: WalkedTable) => `
delete from ${table} where ctid = any(array(
  select ctid from ${table} where ctid >= $2::tid and ctid < $3::tid and ${idleSince[table]} for update skip locked))`;

/**
 * Each round finds its rows by an index and deletes them one by one: `in (select …)` would be joined by reading the whole
 * table, in each round again. What attempts counted to stays in `usage_day` when they leave, in the
 * same statement.
 */
const retireFinished = (whose: string) => `
with gone as (
  delete from job where id = any(array(select id from job where ${whose} finished_at < $1 order by finished_at limit $2)) returning id),
attempts_gone as (delete from attempt where job_id in (select id from gone) returning *),
counted as (
  select a.project_id, (a.opened_at at time zone 'utc')::date as day, coalesce(a.channel, '') channel, coalesce(a.outcome, 'unknown') outcome,
    count(*) attempts, coalesce(sum(a.cost_micros), 0) cost_micros
  from attempts_gone a where a.outcome is distinct from 'snoozed' group by 1, 2, 3, 4),
kept as (
  insert into usage_day as u (project_id, day, channel, outcome, attempts, cost_micros)
  select project_id, day, channel, outcome, attempts, cost_micros from counted order by 1, 2, 3, 4
  on conflict (project_id, day, channel, outcome) do update
  set attempts = u.attempts + excluded.attempts, cost_micros = u.cost_micros + excluded.cost_micros)
select from gone`;
const retireJobs = retireFinished('');
const retireTestJobs = retireFinished(`mode = 'test' and`);

/** Everything that says who the person was. */
const erasePhones = `
update verification set phone = null, client = null, metadata = null, payment = null where id = any(array(
  select id from verification where closed_at < $1 and (phone is not null or client is not null or metadata is not null)
  order by closed_at limit $2))`;

/** The question after its jobs is put so that it is asked of each row, and never becomes a join of both tables. */
const retireVerificationsOf = (whose: string) => `
delete from verification where id = any(array(
  select id from verification v where ${whose} created_at < $1 and state <> 'live' and (select true from job j where j.subject_id = v.id limit 1) is null
  order by created_at limit $2))`;
const retireVerifications = retireVerificationsOf('');
const retireTestVerifications = retireVerificationsOf(`mode = 'test' and`);

/** As above; the deliveries of an event leave with their jobs. */
const retireEventsOf = (whose: string) => `
delete from webhook_event where id = any(array(
  select id from webhook_event e where ${whose} happened_at < $1 and (select true from job j where j.subject_id = e.id limit 1) is null
  order by happened_at limit $2))`;
const retireEvents = retireEventsOf('');
const retireTestEvents = retireEventsOf(`mode = 'test' and`);

/** Its words leave with its jobs; a dedupe key is promised to hold however old it is, so that its row stays. */
const retireBroadcasts = `
with old as materialized (
  select id, dedupe_key is null whole from broadcast b
  where finished_at < $1 and content <> '{}' and (select true from job j where j.subject_id = b.id limit 1) is null
  order by finished_at limit $2),
gone as (delete from broadcast where id = any(array(select id from old where whole))),
emptied as (update broadcast set content = '{}' where id = any(array(select id from old where not whole)))
select from old`;

/** Whole, dedupe keys too: what a test key sent reached nobody. */
const retireTestBroadcasts = `
delete from broadcast where id = any(array(
  select id from broadcast b
  where mode = 'test' and finished_at < $1 and (select true from job j where j.subject_id = b.id limit 1) is null
  order by finished_at limit $2))`;

/** No delivery points at them any more. */
const retireEndpoints = `
delete from webhook_endpoint where id = any(array(
  select id from webhook_endpoint where deleted_at < $1 order by deleted_at limit $2))`;

const retireSpend = `
delete from paid_spend where ctid = any(array(select ctid from paid_spend where day < $1 order by day limit $2))`;

const retireRequests = `
delete from request where ctid = any(array(select ctid from request where at < $1 order by at limit $2))`;

/** What was signed stays in `approval`. */
const retireChallenges = `
delete from challenge where id = any(array(select id from challenge where expires_at < $1 order by expires_at limit $2))`;

const retireNotices = `
delete from person_notice where id = any(array(
  select id from person_notice where announced_at is not null and announced_at < $1 order by announced_at limit $2))`;

const retireOutbox = `
delete from outbox where id = any(array(select id from outbox where published_at < $1 order by id limit $2))`;

/** Whatever ended them: until then it shows how a person's sessions went. */
const retireSessions = `
delete from session where id = any(array(select id from session where expires_at < $1 order by expires_at limit $2))`;

/** What became of a token is the device's to tell. */
const retireEnrolments = `
delete from enrolment where ctid = any(array(select ctid from enrolment where expires_at < $1 order by expires_at limit $2))`;

/** Devices that never proved themselves, with the address that waited for their pushes. */
const retireUnconfirmed = `
with gone as (
  delete from device where id = any(array(
    select id from device where bound_at is null and confirm_until < $1 order by confirm_until limit $2 for update skip locked))
  returning recipient_id),
addresses as (delete from recipient where id = any(array(select recipient_id from gone)))
select from gone`;

/** Where a revoked device could be told so. */
const forgetAddresses = `
delete from recipient where id = any(array(
  select recipient_id from device where revoked_at < $1 and recipient_id is not null order by revoked_at limit $2))`;

/** A secret that was replaced, once no code of it can be on its way any more. */
const forgetPreviousSecrets = `
update device set totp_previous_sealed = null, totp_previous_until = null where id = any(array(
  select id from device where totp_previous_sealed is not null and totp_previous_until < $1 order by totp_previous_until limit $2
  for update skip locked))`;

/**
 * Adds the wrong codes that were tried on a person to each of their devices, whose count is for life. Here and not at the check,
 * which would take longer where there are devices. Destinations before devices, as everybody locks them.
 */
const tellDevices = `
with told as (
  update destination set totp_untold = 0 where ctid = any(array(
    select ctid from destination where totp_untold > 0 and updated_at <= $1 order by address_hash limit $2 for update skip locked))
  returning address_hash, project_id, old.totp_untold tries),
tried as (
  select person_id, sum(tries) tries from (
    select tries, coalesce((select p.person_id from person_phone p where p.address_hash = told.address_hash),
      (select r.person_id from recipient r where r.address_hash = told.address_hash and r.project_id = told.project_id and r.phone is null)) person_id
    from told) each
  where person_id is not null group by person_id),
counted as (
  update device v set totp_failures = v.totp_failures + tried.tries from tried
  where v.person_id = tried.person_id and v.bound_at is not null and v.revoked_at is null)
select from told`;
