import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { limitReasons } from '../../../domain/verify/reasons.ts';
import type { QueueEntry } from '../../../domain/job/job.ts';
import type { Channel } from '../../../domain/verify/channel.ts';
import type { OtpIntake, SendAnswer, SendOrder } from '../../../domain/verify/intake.ts';
import { otpSend } from '../../../domain/verify/job.ts';
import type { VerificationId, JobId } from '../../../domain/shared/ids.ts';
import { addressText } from '../../../domain/shared/address.ts';
import { maskPhone } from '../../../domain/shared/phone.ts';
import { refusalFacts } from '../../../domain/verify/refusal-facts.ts';
import type { SendPlan } from '../../../domain/verify/send-facts.ts';
import { decideSend } from '../../../domain/verify/send.ts';
import { routeMicros, routeOf, type SmsRouting } from '../../../domain/verify/sms-routes.ts';
import type { Locale } from '../../../domain/shared/locale.ts';
import { smsPartsAhead } from '../../../domain/verify/sms-parts.ts';
import { APPROVAL_PURPOSE } from '../../../domain/verify/strangers.ts';
import type { NumberOf } from '../../verify/codes.ts';
import type { KeyedHash } from '../../process/crypto.ts';
import { countFinished } from '../../process/metrics.ts';
import { batcher } from '../engine/batcher.ts';
import { inTwoPhases } from '../engine/hot-pool.ts';
import type { Outbox } from '../../../domain/job/outbox.ts';
import type { Addressed } from './addressed.ts';
import { signalsOf } from './signals.ts';
import { Facts, type KeptAnswer, readFacts, type Writes, writeAll } from './intake-sql.ts';

/** A statement's parameters stay under some 100 kB, and one lock wait holds up no more callers than this. */
const BATCH_MAX = 200;
/** One batch commits while the next one reads its facts. */
const BATCHES_IN_FLIGHT_MAX = 2;

export interface IntakeDeps {
  readonly pool: pg.Pool;
  readonly hash: KeyedHash;
  /** The root key that new codes derive from. */
  readonly codeKid: string;
  /** The number that belongs to a send which asked for a push. */
  readonly numberOf: NumberOf;
  /** Channels that have a provider in this installation. */
  readonly providers: ReadonlySet<Channel>;
  /** Which of them carry SMS to which numbers, and at what price. */
  readonly sms: SmsRouting;
  readonly now: () => Date;
  readonly outbox: Outbox;
}

/** The intake of `otp-send`: one transaction for all orders that arrive together. */
export function otpIntake(deps: IntakeDeps): OtpIntake {
  const accept = batcher({
    name: 'intake',
    sizeMax: BATCH_MAX,
    inFlightMax: BATCHES_IN_FLIGHT_MAX,
    run: (orders: readonly SendOrder[]) =>
      acceptAll(deps, orders).catch((error: unknown) => {
        // Another process was first with a key of ours, a moment after we had looked: the second look finds its answer.
        if (isTakenKey(error)) return acceptAll(deps, orders);
        throw error;
      }),
  });
  return { accept };
}

const isTakenKey = (error: unknown) =>
  error instanceof pg.DatabaseError && error.constraint === 'request_pkey';

function addressOf({ hash }: IntakeDeps, order: SendOrder): Addressed {
  const { command, destination, caller, asker } = order;
  const text = addressText(destination, command.mode);
  const addressHash = hash('address', text);
  const recipientHash =
    command.mode === 'live' ? addressHash : hash('address', addressText(destination, 'live'));
  const sort = `${asker.kind === 'stranger' ? 'stranger:' : ''}${command.purpose === APPROVAL_PURPOSE ? 'approval:' : ''}`;
  return {
    order,
    addressHash,
    addressHex: addressHash.toString('hex'),
    limitHex: (sort === '' ? addressHash : hash('address', sort + text)).toString('hex'),
    askedFrom: asker.kind === 'stranger' ? hash('asked-from', `${caller.projectId}:${asker.from}`) : null,
    signals: signalsOf(hash, order),
    recipientHash,
  };
}

type Answered = SendAnswer & { readonly replayed: boolean };

async function acceptAll(deps: IntakeDeps, orders: readonly SendOrder[]): Promise<readonly Answered[]> {
  const now = deps.now();
  const addressed = orders.map((order) => addressOf(deps, order));
  const { answers, outbox, superseded, entries } = await inTwoPhases(
    deps.pool,
    (client) => readFacts(client, addressed, now),
    (rows, client) => {
      const { answers, writes } = decideAll(deps, addressed, new Facts(rows), now);
      const { sent, outbox, superseded } = writeAll(client, writes, deps.outbox.takePublished(), now);
      return { sent, out: { answers, outbox, superseded, entries: writes.jobs.map(({ entry }) => entry) } };
    },
  );
  // Asked for after the commit: what hangs on it before would fail beside it, where nobody listens.
  const row = (await outbox)?.rows[0];
  if (row) deps.outbox.publish(row.id, entries);
  countFinished(otpSend.kind, 'cancelled', (await superseded)?.rowCount ?? 0);
  return answers;
}

/** In order of arrival: each decision sees what the ones before it in the batch have changed. */
function decideAll(deps: IntakeDeps, addressed: readonly Addressed[], facts: Facts, now: Date) {
  const writes: Writes = {
    jobs: [],
    verifications: [],
    resends: [],
    requests: [],
    superseded: [],
    ended: [],
    rebooked: [],
  };
  const answers = addressed.map((one): Answered => {
    const earlier = facts.requestOf(one.order);
    if (earlier) {
      const same = earlier.bodyHash === one.order.idempotency?.bodyHash;
      return same ? told(deps, one, earlier.answer, true) : { kind: 'key-reused', replayed: false };
    }
    const answer = decideOne(deps, one, facts, writes, now);
    if (burnsKey(answer)) facts.remember(one.order, answer, writes);
    return told(deps, one, answer, false);
  });
  facts.rebook(addressed, writes, now);
  return { answers, writes };
}

/** Whatever channels can reach the recipient, a push that was asked for has its number: its presence would tell of a device. */
function told({ numberOf }: IntakeDeps, { order }: Addressed, kept: KeptAnswer, replayed: boolean): Answered {
  if (kept.kind !== 'accepted') return { ...kept, replayed };
  const { codeKid, ...answer } = kept;
  const { channels, mode } = order.command;
  const isAsked = mode === 'live' && channels.includes('push');
  return { ...answer, number: isAsked ? numberOf({ kid: codeKid, jobId: answer.jobId }) : null, replayed };
}

/** A business refusal is an answer and is kept; a 429 is not, so that the same key may be tried again. */
const burnsKey = (answer: KeptAnswer) =>
  answer.kind === 'accepted' || (answer.kind === 'refused' && !limitReasons.has(answer.reason));

function decideOne(deps: IntakeDeps, one: Addressed, facts: Facts, writes: Writes, now: Date): KeptAnswer {
  const { order } = one;
  const live = facts.liveOf(one);
  if (order.resendOf && (live?.id !== order.resendOf || live.expiresAt <= now)) return { kind: 'closed' };
  const known = {
    ...facts.of(one),
    live,
    again: order.resendOf !== undefined,
    settings: order.caller.settings,
    ...reachOf(deps, facts, one),
  };
  const decision = decideSend(order.command, known, now);
  if (decision.kind === 'refused') {
    const { reason, retryAfterSeconds } = decision;
    return {
      kind: 'refused',
      reason,
      retryAfterSeconds,
      facts: refusalFacts(decision, order.command, known, now),
    };
  }

  const { plan } = decision;
  const jobId = uuidv7({ msecs: now.getTime() }) as JobId;
  const id = plan.resendOf?.id ?? (uuidv7({ msecs: now.getTime() }) as VerificationId);
  const codeKid = plan.resendOf?.codeKid ?? deps.codeKid;
  facts.record(one, { id, jobId, plan, codeKid, entry: entryOf(one, jobId, plan) }, writes, now);
  const { channels, expiresAt } = plan;
  return {
    kind: 'accepted',
    id,
    jobId,
    resend: plan.resendOf !== null || plan.replaces !== null,
    channels,
    expiresAt: expiresAt.toISOString(),
    codeKid,
  };
}

function reachOf(deps: IntakeDeps, facts: Facts, one: Addressed) {
  const recipient = facts.recipientOf(one);
  return {
    reach: {
      push: recipient?.has_push ?? false,
      ownApp: (recipient?.has_push && !recipient.has_token) ?? false,
      telegram: recipient?.has_chat ?? false,
      locale: recipient?.locale ?? null,
      providers: deps.providers,
      smsMicros: smsMicrosOf(deps.sms, one.order, recipient?.locale ?? null),
    },
  };
}

/** What every provider of the route asks for all parts of the text; null where no SMS can go. */
function smsMicrosOf(sms: SmsRouting, { command, caller }: SendOrder, known: Locale | null): number | null {
  const { phone, channels, length, payment = null, ttlSeconds } = command;
  const { settings, slug } = caller;
  if (!phone || !channels.includes('sms')) return null;
  const route = routeOf(phone.e164, sms, settings.sms_routes);
  if (route.length === 0) return null;
  const locale = command.locale ?? known ?? settings.locale;
  const project = settings.display_name ?? slug;
  const parts = smsPartsAhead({ project, length, payment, ttlSeconds, locale }, settings);
  return routeMicros(route) * parts;
}

function entryOf({ order }: Addressed, jobId: JobId, plan: SendPlan): QueueEntry {
  const to = order.command.phone ? maskPhone(order.command.phone.e164) : 'recipient';
  return {
    jobId,
    kind: otpSend.kind,
    labels: { project: order.caller.slug, channels: plan.channels.join(','), to },
  };
}
