import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import type { Encryption } from '../../../infra/process/crypto.ts';
import type { Accepted } from './accepted-list.ts';
import { referenceOf } from '../../../infra/providers/verify/play-mobile-sms.ts';
import type { JobId } from '../../../domain/shared/ids.ts';
import { mustFindNothing } from './must-find-nothing.ts';
import type { Received } from './receiver.ts';
import { killsOfWorkers, type Strike } from './strikes.ts';

/** A moment on the caller's clock during which nothing of these kinds may be sent. */
export interface PausedWindow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly kinds: readonly string[];
}

export interface Evidence {
  readonly pool: pg.Pool;
  readonly accepted: readonly Accepted[];
  readonly messagesFile: string;
  /** Callbacks that arrived. */
  readonly received: readonly Received[];
  /** Opens the tokens that devices are told by. */
  readonly encryption: Encryption;
  readonly strikes: readonly Strike[];
  readonly pausedWindows: readonly PausedWindow[];
  /** Jobs whose worker said, alive, that it could not keep their lock: a machine that starves it for 5 s strikes as a freeze does. */
  readonly starved: ReadonlySet<string>;
}

export interface Verdict {
  readonly jobs: Readonly<Record<string, number>>;
  readonly states: Readonly<Record<string, number>>;
  /** How many jobs were sent so often. */
  readonly histogram: Readonly<Record<number, number>>;
  /** Of the jobs sent more than once: how many messages too many against how many kills struck an open attempt. */
  readonly repeats: Readonly<Record<string, number>>;
  readonly attemptsPerJob: Readonly<Record<number, number>>;
  readonly acceptedToFinishedMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Empty, or the run has failed. */
  readonly problems: readonly string[];
}

/** Clocks of the processes are one machine's; a signal needs a moment to arrive, and a batch notes its time before it runs. */
const CLOCK_SLACK_MS = 50;
const EXAMPLES_MAX = 5;

interface OpenTime {
  readonly from: string;
  readonly to: string | null;
  readonly outcome: string | null;
  readonly reason: string | null;
  /** What its provider reported. */
  readonly delivery: string | null;
}
interface JobRow {
  readonly id: string;
  readonly kind: string;
  readonly subject_id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly accepted_at: Date;
  readonly finished_at: Date | null;
  readonly idempotency_key: string | null;
  readonly run_at: Date;
  readonly chat_id: string | null;
  readonly token_encrypted: string | null;
  readonly open: readonly OpenTime[] | null;
}
interface Sent {
  readonly key: string;
  readonly receivedMs: number;
  readonly code: string;
}

/** Checks from outside: the caller's list, Postgres by SQL, and the log of the provider. */
export async function readVerdict(evidence: Evidence): Promise<Verdict> {
  const { rows: jobs } = await evidence.pool.query<JobRow>(readJobs);
  const messages = await readMessages(evidence.messagesFile);
  const sentOf = assign(jobs, messages, evidence);
  const problems = [
    ...(await problemsInSql(evidence.pool)),
    ...lost(evidence.accepted, jobs),
    ...doubled(evidence.accepted, jobs),
    ...unfinished(jobs),
    ...unsent(jobs, sentOf),
    ...tooOften(jobs, sentOf, evidence),
    ...givenUp(jobs, evidence),
    ...codesOf(jobs, sentOf),
    ...begunWhilePaused(jobs, sentOf, evidence.pausedWindows),
  ];
  const tookMs = jobs
    .filter((job) => !waitsForLong(job))
    .map(({ accepted_at, finished_at }) => (finished_at?.getTime() ?? Infinity) - accepted_at.getTime())
    .toSorted((a, b) => a - b);
  const at = (share: number) => tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))] ?? 0;
  return {
    jobs: tally(jobs.map(({ kind }) => kind)),
    states: tally(jobs.map(({ kind, state, reason }) => `${kind} ${state}: ${reason}`)),
    histogram: tally(jobs.map(({ id }) => sentOf.get(id)?.length ?? 0)),
    repeats: repeatsOf(jobs, sentOf, evidence),
    attemptsPerJob: tally(jobs.map(({ open }) => open?.length ?? 0)),
    acceptedToFinishedMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
    problems,
  };
}

const readJobs = `
select j.id, j.kind, j.subject_id, j.state, j.reason, j.accepted_at, j.finished_at, j.run_at,
  coalesce(v.metadata->>'key', b.content->>'text', b.content->'data'->>'key') idempotency_key,
  coalesce(j.chat_id, r.telegram_chat_id)::text chat_id, j.payload->'to'->>'token_encrypted' token_encrypted,
  (select json_agg(json_build_object('from', a.opened_at, 'to', a.closed_at, 'outcome', a.outcome, 'reason', a.reason, 'delivery', a.delivery) order by a.n) from attempt a where a.job_id = j.id) open
from job j left join verification v on v.id = j.subject_id left join recipient r on r.id = v.recipient_id
  left join broadcast b on b.id = j.subject_id`;

async function problemsInSql(pool: pg.Pool): Promise<string[]> {
  const problems: string[] = [];
  for (const [problem, sql] of Object.entries(mustFindNothing)) {
    const { rows } = await pool.query<{ id: string }>(sql);
    problems.push(
      ...told(
        problem,
        rows.map(({ id }) => id),
      ),
    );
  }
  return problems;
}

async function readMessages(path: string): Promise<(Sent & { to: string; channel: string })[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter(Boolean);
  return lines.flatMap((line) => {
    const message = JSON.parse(line) as Record<string, string>;
    const { received_at: received, channel = '', to = '', text = '' } = message;
    if (received === undefined) return [];
    const code = /\b\d{6}\b/.exec(text)?.[0] ?? '';
    return [{ key: message['idempotency_key'] ?? '', receivedMs: Date.parse(received), code, to, channel }];
  });
}

type SentOf = ReadonlyMap<string, readonly Sent[]>;

/** SMS carry job and attempt, Play Mobile's in its own form; a chat, a token and an event belong to one job each. */
function assign(
  jobs: readonly JobRow[],
  messages: readonly (Sent & { to: string })[],
  { received, encryption }: Evidence,
): SentOf {
  const addressOf = ({ id, kind, subject_id, chat_id, token_encrypted }: JobRow) => {
    if (kind === 'webhook') return subject_id;
    return token_encrypted === null
      ? chat_id
      : encryption.decrypt(Buffer.from(token_encrypted, 'base64'), id);
  };
  const jobOf = new Map(jobs.map((job) => [addressOf(job), job.id]));
  const jobOfReference = new Map(
    jobs.flatMap(({ id, open }) => (open ?? []).map((_, index) => [referenceOf(id as JobId, index + 1), id])),
  );
  const calls = received.map(({ eventId, atMs }) => ({ key: '', receivedMs: atMs, code: '', to: eventId }));
  return Map.groupBy([...messages, ...calls], ({ key, to }) =>
    key === '' ? (jobOf.get(to) ?? to) : (jobOfReference.get(key) ?? key.replace(/-\d+$/, '')),
  );
}

function lost(accepted: readonly Accepted[], jobs: readonly JobRow[]): string[] {
  const jobsOf = Map.groupBy(jobs, ({ subject_id }) => subject_id);
  const isWhole = ({ id, jobId, kind, recipients }: Accepted) => {
    const mine = (jobsOf.get(id) ?? []).filter((job) => job.kind === kind);
    return kind === 'otp-send' || recipients === 1
      ? mine.some((job) => job.id === jobId)
      : mine.length === recipients;
  };
  return told(
    'a 202 has no job, or fewer than recipients',
    accepted.filter((answer) => !isWhole(answer)).map(({ key }) => key),
  );
}

/** One key, one job, one answer, however often it was asked. */
function doubled(accepted: readonly Accepted[], jobs: readonly JobRow[]): string[] {
  const keyOf = new Map(jobs.map(({ subject_id, idempotency_key }) => [subject_id, idempotency_key]));
  const byKey = Map.groupBy(accepted, ({ key }) => key);
  const two = [...byKey].filter(
    ([, answers]) => new Set(answers.map(({ id, jobId }) => `${id} ${jobId}`)).size > 1,
  );
  return [
    ...told(
      'a key was answered with two jobs',
      two.map(([key]) => key),
    ),
    ...told(
      'a 202 names the job of another key',
      accepted.filter(({ key, id }) => keyOf.has(id) && keyOf.get(id) !== key).map(({ key }) => key),
    ),
  ];
}

/** A callback of which two tries were struck waits five minutes for its third: its row says until when. */
function waitsForLong({ kind, finished_at, run_at, open }: JobRow): boolean {
  const tries = open ?? [];
  const isOver = tries.length > 1 && tries.every(({ outcome }) => outcome !== null);
  return kind === 'webhook' && finished_at === null && isOver && run_at.getTime() > Date.now();
}

function unfinished(jobs: readonly JobRow[]): string[] {
  return told(
    'a job has no final state',
    jobs
      .filter((job) => job.finished_at === null && !waitsForLong(job))
      .map(({ kind, id }) => `${kind} ${id}`),
  );
}

/** A job that says it was sent and that no provider knows of. */
function unsent(jobs: readonly JobRow[], sentOf: SentOf): string[] {
  const ids = jobs.filter(({ id, state }) => state === 'completed' && !sentOf.has(id)).map(({ id }) => id);
  return told('a completed job was never sent', ids);
}

/**
 * A living worker closes within the time-out of an attempt (10 s) and the tries of a close (4.5 s): what struck later, while
 * the row still stood open, found nobody.
 */
const HELD_MS_MAX = 15_000;

const isStruck = ({ from, to }: OpenTime, { fromMs, toMs }: Strike): boolean => {
  const openedMs = Date.parse(from);
  const heldUntilMs = Math.min(to === null ? Infinity : Date.parse(to), openedMs + HELD_MS_MAX);
  return openedMs - CLOCK_SLACK_MS <= toMs && fromMs <= heldUntilMs + CLOCK_SLACK_MS;
};

function strikesOn({ open }: JobRow, strikes: readonly Strike[]): number {
  return strikes.filter((strike) => open?.some((time) => isStruck(time, strike))).length;
}

/** Who gives an attempt up needs a reason: its worker was killed or stood still, or a server that it needed was away. */
function givenUp(jobs: readonly JobRow[], { strikes, starved }: Evidence): string[] {
  const reasons = strikes.filter(({ what }) => what !== 'kill-api' && what !== 'kill-reconciler');
  const unexplained = (time: OpenTime) =>
    time.reason === 'worker-lost' && !reasons.some((strike) => isStruck(time, strike));
  const guilty = jobs.filter(({ id, open }) => !starved.has(id) && open?.some(unexplained));
  return told(
    'an attempt was given up, and nothing had struck it',
    guilty.map(({ id }) => id),
  );
}

interface Reasons {
  readonly kills: number;
  /** Its provider, which answers in half a second, had no answer in ten; or its worker lost the lock while alive. */
  readonly starved: number;
  /** Its provider's report was lost with the api that it called, so that the next one was tried at its deadline. */
  readonly unreported: number;
}

/**
 * A callback is promised at least once, and its answer is written to Postgres before the attempt is closed: there a server that is
 * away costs a repeat, which its `webhook-id` tells.
 */
function reasonsOf(job: JobRow, { strikes, starved }: Evidence): Reasons {
  const kills = strikes.filter(({ what }) =>
    job.kind === 'webhook' ? !what.startsWith('kill-') || killsOfWorkers.has(what) : killsOfWorkers.has(what),
  );
  const timeOuts = job.open?.filter(({ reason }) => reason === 'timeout').length ?? 0;
  const unreported = (job.open ?? [])
    .slice(0, -1)
    .filter(
      ({ outcome, delivery }) => outcome === 'completed' && (delivery === null || delivery === 'sent'),
    ).length;
  return { kills: strikesOn(job, kills), starved: timeOuts + Number(starved.has(job.id)), unreported };
}

function tooOften(jobs: readonly JobRow[], sentOf: SentOf, evidence: Evidence): string[] {
  const repeats = (job: JobRow) => (sentOf.get(job.id)?.length ?? 0) - 1;
  const guilty = jobs.filter((job) => {
    const { kills, starved, unreported } = reasonsOf(job, evidence);
    return repeats(job) > kills + starved + unreported;
  });
  return told(
    'a job was sent more often than kills explain',
    guilty.map(
      (job) =>
        `${job.kind} ${job.id} (${repeats(job)} more, ${strikesOn(job, evidence.strikes)} strikes of any sort)`,
    ),
  );
}

function repeatsOf(jobs: readonly JobRow[], sentOf: SentOf, evidence: Evidence): Record<string, number> {
  const repeated = jobs.filter(({ id }) => (sentOf.get(id)?.length ?? 0) > 1);
  return tally(
    repeated.map((job) => {
      const { kills, starved, unreported } = reasonsOf(job, evidence);
      const other = starved > 0 ? 'starved' : unreported > 0 ? 'unreported' : 'unexplained';
      const how = kills > 0 ? `${kills} kills` : `0 kills, ${other}`;
      return `${(sentOf.get(job.id)?.length ?? 0) - 1} more, ${how}`;
    }),
  );
}

/** Every message of a verification carries the same code. */
function codesOf(jobs: readonly JobRow[], sentOf: SentOf): string[] {
  const codes = jobs.filter(({ kind }) => kind === 'otp-send');
  const byVerification = Map.groupBy(codes, ({ subject_id }) => subject_id);
  const bad = [...byVerification].filter(([, group]) => {
    const codes = group.flatMap(({ id }) => sentOf.get(id)?.map(({ code }) => code) ?? []);
    return codes.includes('') || new Set(codes).size > 1;
  });
  return told(
    'a verification was sent two codes, or none',
    bad.map(([id]) => id),
  );
}

/** What was begun before the pause may still go out, as with every pause; nothing is begun while it lasts. */
function begunWhilePaused(
  jobs: readonly JobRow[],
  sentOf: SentOf,
  windows: readonly PausedWindow[],
): string[] {
  const openedMs = ({ open }: JobRow) => open?.map(({ from }) => Date.parse(from)) ?? [];
  const during =
    ({ fromMs, toMs }: PausedWindow) =>
    (ms: number) =>
      fromMs < ms && ms < toMs;
  const begun = jobs.filter((job) =>
    windows.some((window) => window.kinds.includes(job.kind) && openedMs(job).some(during(window))),
  );
  const sent = jobs.filter((job) =>
    windows.some(
      (window) =>
        window.kinds.includes(job.kind) &&
        sentOf.get(job.id)?.some(({ receivedMs }) => during(window)(receivedMs)) &&
        openedMs(job).every((ms) => ms >= window.fromMs),
    ),
  );
  return [
    ...told(
      'an attempt was opened while its queue was paused',
      begun.map(({ id }) => id),
    ),
    ...told(
      'a message was sent while its queue was paused',
      sent.map(({ id }) => id),
    ),
  ];
}

function told(problem: string, examples: readonly string[]): string[] {
  if (examples.length === 0) return [];
  const shown = examples.slice(0, EXAMPLES_MAX).join(', ');
  return [`${problem}: ${examples.length}, such as ${shown}`];
}

function tally<Key extends string | number>(keys: readonly Key[]): Record<Key, number> {
  const counts = [...Map.groupBy(keys, (key) => key)].map(([key, group]) => [key, group.length] as const);
  return Object.fromEntries(counts.toSorted(([a], [b]) => (a < b ? -1 : 1))) as Record<Key, number>;
}
