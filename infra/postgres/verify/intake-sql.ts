import type pg from 'pg';
import type { QueueEntry } from '../../../domain/job/job.ts';
import type { PaidAsker } from '../../../domain/verify/asker.ts';
import { lockedSince } from '../../../domain/verify/check.ts';
import { type RiskScores, type Score, scoredPrefix } from '../../../domain/verify/fraud.ts';
import { type DaySpend, type PaidCount, withSpend } from '../../../domain/verify/paid-limits.ts';
import type { SendAnswer, SendOrder } from '../../../domain/verify/intake.ts';
import type { VerificationId, JobId } from '../../../domain/shared/ids.ts';
import type { SendPlan } from '../../../domain/verify/send-facts.ts';
import { HOUR_SECONDS } from '../../../domain/verify/send.ts';
import type { Locale } from '../../../domain/shared/locale.ts';
import type { Verification } from '../../../domain/verify/verification.ts';
import type { Addressed } from './addressed.ts';
import { mayBePaid } from './may-be-paid.ts';
import { lockBudgets, readReservedSpend } from './budgets.ts';
import { type PaidCountRow, readPaidCounts, toPaidCount, withOneMore } from './paid-counts.ts';
import { readStrangers, type StrangerRows, Strangers } from './stranger-facts.ts';
import { type VerificationRow, toVerification } from './verification-row.ts';
import { dayOf } from '../../../domain/shared/time.ts';

interface DestinationRow {
  project_id: string;
  address_hash: Buffer;
  sent_at: Date[];
  locked: boolean;
}
/** An answer as it is kept for a replay: without the number, which is derived anew. */
export type KeptAnswer =
  | Exclude<SendAnswer, { kind: 'accepted' }>
  | (Omit<Extract<SendAnswer, { kind: 'accepted' }>, 'number'> & {
      /** The root key that its code, and its number, derive from. */
      readonly codeKid: string;
    });
interface RequestRow {
  project_id: string;
  key: string;
  body_hash: string;
  answer: KeptAnswer;
}
export interface RecipientRow {
  id: string;
  project_id: string;
  address_hash: Buffer;
  has_chat: boolean;
  has_token: boolean;
  has_push: boolean;
  locale: Locale | null;
}
type ScoreRow = Score & { project_id: string; prefix: string };
interface SpendRow {
  project_id: string;
  spent_micros: string;
  stranger_micros: string;
}

type FactRows = readonly [
  pg.QueryResult<DestinationRow>,
  pg.QueryResult<RequestRow>,
  pg.QueryResult<VerificationRow>,
  pg.QueryResult<RecipientRow>,
  pg.QueryResult<ScoreRow>,
  pg.QueryResult | null,
  pg.QueryResult<SpendRow>,
  pg.QueryResult<PaidCountRow>,
  ...StrangerRows,
];

const unique = <T>(items: Iterable<T>): T[] => [...new Set(items)];
/** A statement that each connection prepares once. */
const named = (name: string, text: string, values: unknown[]) => ({
  name: `otp-intake-${name}`,
  text,
  values,
});
const hourBefore = (now: Date) => new Date(now.getTime() - HOUR_SECONDS * 1_000);
/** Keys the spend of one UTC day. */

/**
 * Locks the destinations first, in sorted order, so that all that is read after them stays true until the commit, and two
 * batches that share destinations can't wait for each other in a circle. Addresses of strangers and budgets are locked after them; the
 * other reads are by key and take no lock. Two projects that are asked for one number at one moment don't see each other: the
 * worker then ends the message too many as `number-capped`.
 */
export function readFacts(client: pg.PoolClient, addressed: readonly Addressed[], now: Date) {
  const hashes = addressed.map(({ addressHash }) => addressHash);
  const projects = unique(addressed.map(({ order }) => order.caller.projectId));
  const withKey = addressed.filter(({ order }) => order.idempotency !== null);
  const keys = withKey.map(({ order }) => order.idempotency?.key);
  const keyed = withKey.map(({ order }) => order.caller.projectId);
  const scored = unique(
    addressed
      .flatMap(({ order, signals }) => [
        scoredPrefix(prefixOf(order), order.asker.kind) ?? [],
        signals.ip ?? [],
        signals.device ?? [],
      ])
      .flat(),
  );
  const pairs = unique(addressed.map(limitPairOf)).toSorted();
  const paid = addressed.filter(({ order }) => mayBePaid(order));
  const budgets = unique(paid.map(({ order }) => order.caller.projectId));
  const destinations = client.query<DestinationRow>(
    named('lock-destinations', lockDestinations, [pairs, now, hourBefore(now), lockedSince(now)]),
  );
  const strangers = readStrangers(client, addressed, now);
  return [
    destinations,
    client.query<RequestRow>(named('read-requests', readRequests, [keys, keyed])),
    client.query<VerificationRow>(named('read-live', readLive, [hashes])),
    client.query<RecipientRow>(
      named('read-recipients', readRecipients, [addressed.map(({ recipientHash }) => recipientHash)]),
    ),
    client.query<ScoreRow>(named('read-scores', readScores, [scored, projects])),
    // The last lock, as its holder keeps a project's other paid sends waiting; the spend is read under it.
    budgets.length > 0 ? client.query(named('lock-budgets', lockBudgets, [budgets])) : Promise.resolve(null),
    client.query<SpendRow>(named('read-spend', readReservedSpend, [dayOf(now), projects])),
    client.query<PaidCountRow>(
      named('read-paid', readPaidCounts, [paid.map(({ addressHash }) => addressHash), hourBefore(now), true]),
    ),
    ...strangers,
  ] as const;
}

/**
 * Books one send at each destination, as nearly every order makes one, and tells what was sent before it: a row is written
 * once. `writeAll` corrects those where it was otherwise.
 */
const lockDestinations = `
insert into destination (address_hash, project_id, sent_at, updated_at)
select decode(left(pair, 64), 'hex'), substr(pair, 65)::uuid, array[$2::timestamptz], $2 from unnest($1::text[]) pair
on conflict (address_hash, project_id) do update set updated_at = excluded.updated_at,
  sent_at = array(select at from unnest(destination.sent_at) at where at > $3) || excluded.sent_at
returning project_id, address_hash, coalesce(old.sent_at, '{}') sent_at, coalesce(locked_at > $4, false) locked`;

const readRequests = `
select r.project_id, r.key, encode(r.body_hash, 'hex') body_hash, r.answer
from unnest($1::text[], $2::uuid[]) as w (key, project_id) join request r on r.project_id = w.project_id and r.key = w.key`;

/** What services asked for, in every project that knows these addresses: which are whose is told apart by the pair of both. */
const readLive = `select * from verification where address_hash = any($1) and state = 'live' and asked_by = 'service'`;

const readRecipients = `
select id, project_id, address_hash, locale, push_token_encrypted is not null has_token, push_token_encrypted is not null or person_id is not null and exists (
    select from device d where d.person_id = recipient.person_id and d.kind = 'app' and d.bound_at is not null and d.revoked_at is null) has_push,
  telegram_chat_id is not null and telegram_blocked_at is null has_chat
from recipient where address_hash = any($1)`;

const readScores = `select project_id, prefix, sent, verified, at from prefix_score where prefix = any($1) and project_id = any($2)`;

/** What a batch will write, collected while it is decided. */
export interface Writes {
  readonly jobs: { readonly entry: QueueEntry; readonly row: object }[];
  readonly verifications: object[];
  readonly resends: object[];
  readonly requests: object[];
  /** Jobs of earlier sends, whose chain stops where a resend begins. */
  readonly superseded: JobId[];
  /** Verifications whose place a new one takes, their time being up or not. */
  readonly ended: { readonly id: VerificationId; readonly state: 'expired' | 'cancelled' }[];
  /** Destinations where not exactly one send was accepted. */
  readonly rebooked: object[];
}

interface Accepted {
  readonly id: VerificationId;
  readonly jobId: JobId;
  readonly plan: SendPlan;
  readonly codeKid: string;
  readonly entry: QueueEntry;
}

const hex = (bytes: Buffer) => `\\x${bytes.toString('hex')}`;

/** The facts of a batch, changed by each decision so that the next one in the batch sees them. */
export class Facts {
  readonly #sentAt = new Map<string, Date[]>();
  /** How many they were before this batch. */
  readonly #sentBefore = new Map<string, number>();
  readonly #locked = new Set<string>();
  readonly #live = new Map<string, Verification>();
  readonly #requests = new Map<string, { bodyHash: string; answer: KeptAnswer }>();
  readonly #recipients = new Map<string, RecipientRow>();
  readonly #scores = new Map<string, Score>();
  readonly #spend = new Map<string, DaySpend>();
  readonly #paid = new Map<string, readonly PaidCount[]>();
  readonly #strangers: Strangers;

  constructor([destinations, requests, live, recipients, scores, , spend, paid, ...strangers]: FactRows) {
    this.#strangers = new Strangers(strangers);
    for (const row of destinations.rows) {
      const pair = row.address_hash.toString('hex') + row.project_id;
      this.#sentAt.set(pair, row.sent_at);
      this.#sentBefore.set(pair, row.sent_at.length);
      if (row.locked) this.#locked.add(pair);
    }
    for (const row of requests.rows)
      this.#requests.set(row.project_id + row.key, { bodyHash: row.body_hash, answer: row.answer });
    for (const row of live.rows)
      this.#live.set(row.address_hash.toString('hex') + row.project_id + row.purpose, toVerification(row));
    for (const row of recipients.rows)
      this.#recipients.set(row.address_hash.toString('hex') + row.project_id, row);
    for (const row of scores.rows) this.#scores.set(row.project_id + row.prefix, row);
    for (const row of spend.rows)
      this.#spend.set(row.project_id, {
        spentMicros: Number(row.spent_micros),
        strangerMicros: Number(row.stranger_micros),
      });
    for (const row of paid.rows) {
      const number = row.address_hash.toString('hex');
      this.#paid.set(number, [...(this.#paid.get(number) ?? []), toPaidCount(row)]);
    }
  }

  requestOf({ idempotency, caller }: SendOrder) {
    return idempotency ? this.#requests.get(caller.projectId + idempotency.key) : undefined;
  }

  liveOf(one: Addressed): Verification | null {
    if (one.askedFrom !== null) return this.#strangers.liveOf(one);
    return this.#live.get(pairOf(one) + one.order.command.purpose) ?? null;
  }

  recipientOf(one: Addressed): RecipientRow | undefined {
    return this.#recipients.get(one.recipientHash.toString('hex') + one.order.caller.projectId);
  }

  /** As its paid messages are counted. */
  askedBy(one: Addressed): PaidAsker {
    return this.#strangers.isKnown(one) ? 'known' : one.order.asker.kind;
  }

  of(one: Addressed) {
    const { projectId } = one.order.caller;
    const askedBy = this.askedBy(one);
    return {
      sentAt: this.#sentAt.get(limitPairOf(one)) ?? [],
      locked: this.#locked.has(limitPairOf(one)),
      stranger: this.#strangers.of(one),
      askedBy,
      projectId,
      paid: this.#paid.get(one.addressHex) ?? [],
      spend: this.#spend.get(projectId) ?? { spentMicros: 0, strangerMicros: 0 },
      risk: this.#riskOf(one, askedBy),
    };
  }

  /** As the worker has booked it: what is on its way is scored as its attempt opens, where the same rule is asked again. */
  #riskOf({ order, signals }: Addressed, askedBy: PaidAsker): RiskScores {
    const { projectId } = order.caller;
    const scoreOf = (name: string | null) =>
      (name === null ? null : this.#scores.get(projectId + name)) ?? null;
    return {
      prefix: scoreOf(scoredPrefix(prefixOf(order), askedBy)),
      ip: scoreOf(signals.ip),
      device: scoreOf(signals.device),
    };
  }

  /** Keeps the answer under its idempotency key. */
  remember(order: SendOrder, answer: KeptAnswer, writes: Writes): void {
    if (!order.idempotency) return;
    const { key, bodyHash } = order.idempotency;
    this.#requests.set(order.caller.projectId + key, { bodyHash, answer });
    writes.requests.push({ project_id: order.caller.projectId, key, body_hash: `\\x${bodyHash}`, answer });
  }

  /** Adds an accepted send to what the batch writes. */
  record(one: Addressed, accepted: Accepted, writes: Writes, now: Date): void {
    const pair = limitPairOf(one);
    const verification = toLive(one, accepted, now);
    const ended = this.liveOf(one);
    if (ended && !accepted.plan.resendOf) recordEnd(ended, accepted.plan, writes);
    if (one.askedFrom === null) this.#live.set(pairOf(one) + verification.purpose, verification);
    else this.#strangers.record(one, verification);
    // Test keys have no hourly limit.
    if (one.order.command.mode === 'live') this.#sentAt.set(pair, [...(this.#sentAt.get(pair) ?? []), now]);
    this.#reserve(one, accepted.plan);
    writes.jobs.push({ entry: accepted.entry, row: jobRow(one, accepted, now) });
    if (accepted.plan.resendOf) this.#recordResend(one, accepted, accepted.plan.resendOf, writes);
    else
      writes.verifications.push(
        verificationRow(one, verification, accepted, {
          recipientId: this.recipientOf(one)?.id ?? null,
          askedBy: this.askedBy(one),
        }),
      );
  }

  /** Once all are decided: corrects what `lockDestinations` booked where it was not one send. */
  rebook(addressed: readonly Addressed[], writes: Writes, now: Date): void {
    const hourAgo = hourBefore(now);
    for (const one of new Map(addressed.map((each) => [limitPairOf(each), each])).values()) {
      const sentAt = this.#sentAt.get(limitPairOf(one)) ?? [];
      if (sentAt.length === (this.#sentBefore.get(limitPairOf(one)) ?? 0) + 1) continue;
      const sent_at = sentAt.filter((at) => at > hourAgo);
      writes.rebooked.push({
        address_hash: `\\x${one.limitHex}`,
        project_id: one.order.caller.projectId,
        sent_at,
      });
    }
  }

  /** On its way: the next one of the batch counts it. */
  #reserve(one: Addressed, { reservedMicros: micros }: SendPlan): void {
    if (micros === 0) return;
    const counted = { projectId: one.order.caller.projectId, askedBy: this.askedBy(one) };
    this.#paid.set(one.addressHex, withOneMore(this.#paid.get(one.addressHex) ?? [], counted));
    const spend = this.#spend.get(counted.projectId) ?? { spentMicros: 0, strangerMicros: 0 };
    this.#spend.set(counted.projectId, withSpend(spend, micros, counted.askedBy));
  }

  #recordResend(
    { order }: Addressed,
    { id, jobId, plan }: Accepted,
    earlier: Verification,
    writes: Writes,
  ): void {
    writes.superseded.push(earlier.jobId);
    const { codeGeneration: code_generation, expiresAt: expires_at, channels, locale } = plan;
    const { callbackUrl: callback_url, client } = order.command;
    writes.resends.push({
      id,
      job_id: jobId,
      code_generation,
      expires_at,
      channels,
      locale,
      callback_url,
      client,
    });
  }
}

/** Out of time, or replaced: then its chain stops too. */
function recordEnd({ id, jobId }: Verification, { replaces }: SendPlan, writes: Writes): void {
  writes.ended.push({ id, state: replaces ? 'cancelled' : 'expired' });
  if (replaces) writes.superseded.push(jobId);
}

const prefixOf = ({ command }: SendOrder) => command.phone?.prefix ?? null;

const pairOf = (one: Addressed) => one.addressHex + one.order.caller.projectId;
const limitPairOf = (one: Addressed) => one.limitHex + one.order.caller.projectId;

/** The verification as it stands once the batch is committed. */
function toLive({ order }: Addressed, { id, jobId, plan, codeKid }: Accepted, now: Date): Verification {
  const { command, caller } = order;
  const sent = {
    jobId,
    sentAt: now,
    channels: plan.channels,
    codeGeneration: plan.codeGeneration,
    expiresAt: plan.expiresAt,
    locale: plan.locale,
  };
  if (plan.resendOf) return { ...plan.resendOf, ...sent, sends: plan.resendOf.sends + 1 };
  return {
    ...sent,
    id,
    projectId: caller.projectId,
    purpose: command.purpose,
    mode: command.mode,
    state: 'live',
    codeKid,
    codeLength: command.length,
    payment: command.payment ?? null,
    checksUsed: plan.replaces?.checksUsed ?? 0,
    checksMax: plan.replaces?.checksMax ?? plan.checksMax,
    sends: (plan.replaces?.sends ?? 0) + 1,
    ttlSeconds: command.ttlSeconds,
    createdAt: now,
  };
}

function verificationRow(
  one: Addressed,
  verification: Verification,
  { plan }: Accepted,
  { recipientId, askedBy }: { recipientId: string | null; askedBy: PaidAsker },
): object {
  const { command } = one.order;
  return {
    id: verification.id,
    project_id: verification.projectId,
    recipient_id: recipientId,
    address_hash: hex(one.addressHash),
    phone: command.phone?.e164 ?? null,
    phone_prefix: scoredPrefix(prefixOf(one.order), askedBy),
    scored_ip: one.signals.ip,
    scored_device: one.signals.device,
    purpose: verification.purpose,
    mode: verification.mode,
    code_kid: verification.codeKid,
    code_length: verification.codeLength,
    checks_used: verification.checksUsed,
    checks_max: verification.checksMax,
    check_by_to: command.checkByTo,
    channels: plan.channels,
    locale: plan.locale,
    payment: verification.payment,
    client: command.client,
    metadata: command.metadata,
    callback_url: command.callbackUrl,
    job_id: verification.jobId,
    asked_by: one.order.asker.kind,
    asked_known: askedBy === 'known',
    asked_from: one.askedFrom && hex(one.askedFrom),
    sends: verification.sends,
    ttl_seconds: verification.ttlSeconds,
    created_at: verification.createdAt,
    sent_at: verification.sentAt,
    expires_at: verification.expiresAt,
  };
}

function jobRow(one: Addressed, { id, jobId, plan, entry }: Accepted, now: Date): object {
  return {
    id: jobId,
    kind: entry.kind,
    project_id: one.order.caller.projectId,
    subject_id: id,
    mode: one.order.command.mode,
    address_hash: hex(one.addressHash),
    payload: { verification_id: id },
    labels: entry.labels,
    run_at: now,
    deadline_at: plan.expiresAt,
    accepted_at: now,
    request_id: one.order.requestId,
    reserved_micros: plan.reservedMicros,
    reserved_for_stranger: one.order.asker.kind === 'stranger',
  };
}

/**
 * Everything a batch changes, ended verifications first, as their unique index asks, and verifications before jobs, as
 * everybody locks them. A
 * request row that another batch wrote meanwhile under the same key fails the batch, which then runs again row by row and
 * finds it.
 */
export function writeAll(client: pg.PoolClient, writes: Writes, published: readonly string[], now: Date) {
  const sent: Promise<unknown>[] = [];
  const run = (name: string, sql: string, rows: readonly unknown[], ...more: unknown[]) => {
    if (rows.length > 0) sent.push(client.query(named(name, sql, [JSON.stringify(rows), ...more])));
  };
  run('rebook', rebookSends, writes.rebooked);
  run('close-ended', closeEnded, writes.ended, now);
  run('insert-verifications', insertVerifications, writes.verifications);
  run('update-resends', updateResends, writes.resends, now);
  const superseded =
    writes.superseded.length > 0
      ? client.query(named('cancel-superseded', cancelSuperseded, [JSON.stringify(writes.superseded), now]))
      : null;
  if (superseded) sent.push(superseded);
  run(
    'insert-jobs',
    insertJobs,
    writes.jobs.map(({ row }) => row),
  );
  run('insert-requests', insertRequests, writes.requests, now);
  const ids = writes.jobs.map(({ entry }) => entry.jobId);
  const outbox =
    ids.length > 0
      ? client.query<{ id: string }>(named('insert-outbox', insertOutbox, [ids, now, published]))
      : null;
  if (outbox) sent.push(outbox);
  return { sent, outbox, superseded };
}

/** They stand where the new ones go. */
const closeEnded = `
update verification v set state = w.state, closed_at = $2
from json_to_recordset($1) as w (id uuid, state text) where v.id = w.id and v.state = 'live'`;

const cancelSuperseded = `
update job set state = 'cancelled', reason = 'superseded', finished_at = $2
where id in (select value::uuid from json_array_elements_text($1)) and finished_at is null`;

const insertVerifications = `
insert into verification (id, project_id, recipient_id, address_hash, phone, phone_prefix, scored_ip, scored_device, purpose, mode, code_kid, code_length,
  checks_used, checks_max, check_by_to, channels, locale, payment, client, metadata, callback_url, job_id, asked_by, asked_known, asked_from, sends, ttl_seconds, created_at,
  sent_at, expires_at)
select id, project_id, recipient_id, address_hash, phone, phone_prefix, scored_ip, scored_device, purpose, mode, code_kid, code_length,
  checks_used, checks_max, check_by_to, array(select json_array_elements_text(channels)), locale, payment, client, metadata, callback_url,
  job_id, asked_by, asked_known, asked_from, sends, ttl_seconds, created_at, sent_at, expires_at
from json_to_recordset($1) as w (id uuid, project_id uuid, recipient_id uuid, address_hash bytea, phone text, phone_prefix text,
  scored_ip text, scored_device text,
  purpose text, mode text, code_kid text, code_length int, checks_used int, checks_max int, check_by_to bool, channels json, locale text, payment jsonb, client jsonb,
  metadata jsonb, callback_url text, job_id uuid, asked_by text, asked_known bool, asked_from bytea, sends int, ttl_seconds int, created_at timestamptz, sent_at timestamptz, expires_at timestamptz)`;

const updateResends = `
update verification v set job_id = w.job_id, code_generation = w.code_generation, expires_at = w.expires_at, locale = w.locale,
  channels = array(select json_array_elements_text(w.channels)), sends = v.sends + 1, sent_at = $2,
  callback_url = coalesce(w.callback_url, v.callback_url), client = coalesce(w.client, v.client)
from json_to_recordset($1) as w (id uuid, job_id uuid, code_generation int, expires_at timestamptz, locale text, channels json,
  callback_url text, client jsonb)
where v.id = w.id`;

const insertJobs = `
insert into job (id, kind, project_id, subject_id, mode, address_hash, payload, labels, run_at, deadline_at, accepted_at, scheduled_at, request_id,
  reserved_micros, reserved_for_stranger)
select id, kind, project_id, subject_id, mode, address_hash, payload, labels, run_at, deadline_at, accepted_at, accepted_at, request_id,
  reserved_micros, reserved_for_stranger
from json_to_recordset($1) as w (id uuid, kind text, project_id uuid, subject_id uuid, mode text, address_hash bytea, payload jsonb, labels jsonb,
  run_at timestamptz, deadline_at timestamptz, accepted_at timestamptz, request_id text, reserved_micros bigint, reserved_for_stranger boolean)`;

const rebookSends = `
update destination d set sent_at = array(select json_array_elements_text(w.sent_at)::timestamptz)
from json_to_recordset($1) as w (address_hash bytea, project_id uuid, sent_at json)
where d.address_hash = w.address_hash and d.project_id = w.project_id`;

const insertRequests = `
insert into request (project_id, key, body_hash, answer, at)
select project_id, key, body_hash, answer, $2
from json_to_recordset($1) as w (project_id uuid, key text, body_hash bytea, answer jsonb) order by project_id, key`;

/** Written with the jobs, so that a crash before their queue entries are out is found; the same statement marks what went out before. */
const insertOutbox = `
with marked as (update outbox set published_at = $2 where id = any($3::bigint[]))
insert into outbox (job_ids, at) values ($1, $2) returning id`;
