import { isAbandoned } from '../../domain/job/abandoned.ts';
import type { FinalState } from '../../domain/job/job.ts';
import type { JobId, ProjectId } from '../../domain/shared/ids.ts';
import type { Entered } from '../../domain/job/guard.ts';
import type { ClosingAttempt, JobStore } from '../../domain/job/store.ts';
import type { Wake, Woken } from '../../domain/job/wake.ts';
import { type Channel, channelRules } from '../../domain/verify/channel.ts';
import type { GuardedChannel } from '../../domain/verify/guard.ts';
import { otpSend } from '../../domain/verify/job.ts';
import type { OtpJob, OtpJobs, PaidAttempts, PaidRefusal } from '../../domain/verify/otp-job.ts';
import { dayBudgetOf } from '../../domain/verify/paid-limits.ts';
import type { CodeMessage } from '../../domain/verify/port.ts';
import type { SendReply } from '../../domain/job/reply.ts';
import {
  channelOf,
  decideStep,
  type Leg,
  legsOf,
  type NextSend,
  type PastAttempt,
  type StepRules,
} from '../../domain/verify/step.ts';
import { isDoubted, type TextModeration } from '../../domain/verify/text-moderation.ts';
import type { ProjectSettings } from '../../domain/project/settings.ts';
import { askedWait, closeSurely, saidBy } from '../engine/attempt.ts';
import type { Chats } from '../../domain/telegram/chat.ts';
import { withinTime } from '../engine/time-limit.ts';
import type { EngineReason } from '../../domain/job/reasons.ts';
import { type Bill, billOf, proofOf } from './bill.ts';
import type { CodeEndReason } from '../../domain/verify/reasons.ts';
import { type MessageDeps, messageOf } from './code-message.ts';
import { choiceOf, type OrderedProvider, type SmsOrderDeps, smsRouteOf } from './sms-order.ts';

export interface OtpSendDeps extends SmsOrderDeps, MessageDeps {
  readonly jobs: OtpJobs;
  readonly store: JobStore;
  readonly paid: PaidAttempts;
  readonly chats: Pick<Chats, 'close'>;
  /** Legs that have a provider here, each behind its provider guard. */
  readonly legs: ReadonlyMap<Leg, GuardedChannel>;
  /** Which wordings the providers of SMS send. */
  readonly moderation: TextModeration;
  /** Pushes to whom the project gave no token of its own; null where pushes are off. */
  readonly ownApp: GuardedChannel | null;
  /** The project's slug and settings; a cache of some seconds is fine. */
  readonly project: (id: ProjectId) => Promise<{ slug: string; settings: ProjectSettings }>;
  readonly now: () => Date;
  /** 0 to 1. */
  readonly random: () => number;
  readonly onAttempt: (
    attempt: ClosingAttempt & { channel: Channel; provider: string; requestId: string | null },
  ) => void;
  readonly onFinished: (state: FinalState) => void;
}

/** More steps than the longest chain can take in one wake-up: a bug ends here and not in a bill. */
const STEPS_MAX = 24;
const TEXT_REFUSED = 'text-not-moderated' satisfies CodeEndReason;
/** A row that is due in a moment is worked on now: clocks of two machines differ by some milliseconds. */
const EARLY_MS = 20;
/** A queue entry of a paused queue, or of a job that another worker has in hand, is looked at again so much later. */
const LOOK_AGAIN_MS = 1_000;

/** `otp-send`: brings one code to one person along its chain of channels. */
export function otpSendWake(deps: OtpSendDeps): Wake {
  return async (id, signal) => {
    const passed: PassedBy = { legs: new Map(), resumesAt: null };
    const takenAt = deps.now();
    for (let step = 0; step < STEPS_MAX; step++) {
      // The process is going: what is left is for the next one.
      if (signal.aborted) return { kind: 'waiting', until: deps.now(), failed: null };
      const job = await deps.jobs.read(id);
      if (!job) return { kind: 'finished', state: 'cancelled', reason: 'no-such-job' satisfies EngineReason };
      const woken = await takeStep(deps, job, { takenAt, passed, signal });
      if (woken) return woken;
    }
    throw new Error(`more than ${STEPS_MAX} steps in one wake-up`);
  };
}

/** What this wake-up found closed. */
interface PassedBy {
  readonly legs: Map<Leg, CodeEndReason>;
  /** When the first of those that only pause may be asked again. */
  resumesAt: Date | null;
}

interface WakeUp {
  readonly takenAt: Date;
  readonly passed: PassedBy;
  readonly signal: AbortSignal;
}

/** One step of the chain; null when the next one is due at once. */
async function takeStep(deps: OtpSendDeps, job: OtpJob, wakeUp: WakeUp): Promise<Woken | null> {
  const { takenAt, passed, signal } = wakeUp;
  const abandoned = isAbandoned(job.openSince, takenAt);
  if (abandoned) await deps.store.closeAbandoned(job.id, job.attemptsMade, takenAt);
  if (job.finished) return { kind: 'finished', state: job.state as FinalState, reason: job.reason };
  const isTheirs = job.openSince !== null && !abandoned;
  if (isTheirs || job.paused)
    return { kind: 'waiting', until: new Date(deps.now().getTime() + LOOK_AGAIN_MS), failed: null };
  if (!job.payload) return end(deps, job.id, 'rejected', 'payload-unreadable');
  const isDue = job.runAt.getTime() - deps.now().getTime() <= EARLY_MS;
  if (!isDue && !isReported(job)) return { kind: 'waiting', until: job.runAt, failed: null };

  const project = await deps.project(job.projectId);
  const route = await smsRouteOf(deps, job, project.settings);
  // Where this wake-up found a leg closed, the row's time was for that leg, and no other one's pause is over by it.
  const rules = {
    ...rulesOf(deps, job, { settings: project.settings, route, unavailable: passed.legs }),
    isDue: isDue && passed.legs.size === 0,
  };
  const step = orResume(decideStep(job.verification, job.past, rules, deps.now()), job, passed);
  switch (step.kind) {
    case 'finish':
      return end(deps, job.id, step.state, step.reason);
    case 'wait':
      return sleep(deps, job, step.until);
    case 'send':
      return sendBy(step.send, { deps, job, project, route, rules, passed, signal });
  }
}

/** Where a provider only pauses, the code's life is waited out for it: what the others refused is no end yet. */
function orResume(
  step: ReturnType<typeof decideStep>,
  { verification }: OtpJob,
  { resumesAt }: PassedBy,
): ReturnType<typeof decideStep> {
  const isRefused = step.kind === 'finish' && (step.state === 'rejected' || step.state === 'failed');
  if (!isRefused || !resumesAt) return step;
  const until = resumesAt < verification.expiresAt ? resumesAt : verification.expiresAt;
  return { kind: 'wait', until, because: 'provider-asked' };
}

/**
 * The provider has said what became of the last message, or that an earlier one arrived after all. The row's time may still be
 * the one that was set before the report came, or while it did.
 */
function isReported({ past }: OtpJob): boolean {
  const delivery = past.at(-1)?.delivery ?? null;
  return (delivery !== null && delivery !== 'sent') || past.some(hasArrived);
}

const hasArrived = ({ delivery }: PastAttempt) => delivery === 'delivered' || delivery === 'read';
/** It may have left, and its price is spent. */
const isPaid = (attempt: PastAttempt) => mayArrive(attempt) && channelRules[attempt.channel].paid;
/** A report of it may come at any time, also while a later attempt is under way. */
const mayArrive = ({ outcome }: PastAttempt) => outcome === 'completed' || outcome === 'unknown';

async function end(deps: OtpSendDeps, id: JobId, state: FinalState, reason: string | null): Promise<Woken> {
  await deps.store.finish(id, state, reason);
  deps.onFinished(state);
  return { kind: 'finished', state, reason };
}

async function sleep(deps: OtpSendDeps, { id, attemptsMade }: OtpJob, until: Date): Promise<Woken> {
  await deps.store.postpone(id, attemptsMade, until);
  return { kind: 'waiting', until, failed: null };
}

interface Surroundings {
  readonly settings: ProjectSettings;
  readonly route: readonly OrderedProvider[];
  readonly unavailable: ReadonlyMap<Leg, CodeEndReason>;
}

/** A leg without address or provider is passed over; so is what this wake-up found closed. */
function rulesOf(
  deps: OtpSendDeps,
  job: OtpJob,
  { settings, route, unavailable }: Surroundings,
): Omit<StepRules, 'isDue'> {
  const smsOrder = route.map(({ provider }) => provider);
  const legs = legsOf(job.verification.channels, job.past, { smsOrder });
  const missing = legs.flatMap((leg): [Leg, CodeEndReason][] => {
    if (!deps.legs.has(leg)) return [[leg, 'no-provider']];
    return hasAddress(deps, job, channelOf(leg)) ? [] : [[leg, 'no-address']];
  });
  return {
    smsOrder,
    unavailable: new Map([...missing, ...unavailable]),
    pushUnconfirmedBuysSms: settings.push_unconfirmed_buys_sms,
    jitter: deps.random(),
  };
}

function hasAddress({ ownApp }: OtpSendDeps, { addresses }: OtpJob, channel: Channel): boolean {
  switch (channel) {
    case 'push':
      return addresses.pushToken !== null || ownApp !== null;
    case 'telegram':
      return addresses.chatId !== null;
    case 'telegram-gateway':
    case 'sms':
      return addresses.phone !== null;
    case 'totp':
      return false;
  }
}

interface Sending {
  readonly deps: OtpSendDeps;
  readonly job: OtpJob;
  readonly project: { readonly slug: string; readonly settings: ProjectSettings };
  readonly route: readonly OrderedProvider[];
  readonly rules: StepRules;
  readonly passed: PassedBy;
  readonly signal: AbortSignal;
}

/** Asks for a place at the provider before an attempt is opened, so that a full or failing one costs none. */
async function sendBy(next: NextSend, sending: Sending): Promise<Woken | null> {
  const { leg } = next;
  const guarded = guardOf(sending.job, leg, sending.deps);
  if (!guarded) throw new Error(`decideStep chose ${leg}, which has no provider`);
  const approval = await approvalOf(guarded, sending);
  if (approval === 'refused') {
    sending.passed.legs.set(leg, TEXT_REFUSED);
    return null;
  }
  const entry = await guarded.enterSoon();
  if (!entry.entered) return passBy(leg, entry, sending);
  try {
    const message = messageOf(sending, channelOf(leg));
    const bill = billOf(leg, message.text, sending.route, sending.deps.sms.uzsPerUsd);
    const opened = await openAttempt(next, guarded, bill, sending);
    if (opened === 'lost') return null;
    if (opened !== 'opened') {
      for (const one of sameMoney(leg, sending)) sending.passed.legs.set(one, opened);
      return null;
    }
    return await attempt(guarded, { entry, message, bill, approval }, sending);
  } finally {
    entry.leave();
  }
}

/** What is known of a wording before it costs an attempt. `doubted`: the list says no, and the provider is asked all the same. */
type Approval = 'refused' | 'doubted' | 'open';

/** Where it is refused the next provider of the route is asked at once. */
async function approvalOf({ channel, provider }: GuardedChannel, sending: Sending): Promise<Approval> {
  if (channel !== 'sms') return 'open';
  const { deps, job } = sending;
  const { text } = messageOf(sending, channel);
  const { state, by } = await deps.moderation.of({ provider, projectId: job.projectId, text });
  if (state === 'not-approved') return by === 'list' && isDoubted(job.id) ? 'doubted' : 'refused';
  return state === 'approved' && by === 'answer' ? 'doubted' : 'open';
}

/** A list that was found wrong is not believed for a while, and neither is one that seemed to cover what was refused. */
async function noteAnswer(
  provider: string,
  { reply, text, approval }: { reply: SendReply; text: string; approval: Approval },
  { deps, job: { projectId } }: Sending,
): Promise<void> {
  const sent = { provider, projectId, text };
  if (reply.kind === 'refused' && reply.reason === TEXT_REFUSED)
    await deps.moderation.refused(sent, reply.detail ?? null);
  if (reply.kind === 'accepted' && approval === 'doubted') await deps.moderation.accepted(sent);
}

/** A push goes to the project's own app where it gave us a token, else to Navbat's. */
function guardOf({ addresses }: OtpJob, leg: Leg, { legs, ownApp }: OtpSendDeps) {
  return leg === 'push' && addresses.pushToken === null ? ownApp : legs.get(leg);
}

/** What may not be paid for once is not asked again at the next provider: number, budget and prefix are the same there. */
const sameMoney = (leg: Leg, { rules }: Sending): readonly Leg[] =>
  channelOf(leg) === 'sms' ? [leg, ...rules.smsOrder] : [leg];

/** An open breaker counts as unavailable: the chain moves on, or waits where nothing else is left. A full concurrency limit is waited out. */
async function passBy(
  leg: Leg,
  entry: { because: 'full' | 'open'; retryAfterMs: number },
  sending: Sending,
): Promise<Woken | null> {
  const { deps, job, rules, passed } = sending;
  const until = new Date(deps.now().getTime() + entry.retryAfterMs);
  if (entry.because === 'open') {
    const without = {
      ...rules,
      isDue: false,
      unavailable: new Map([...rules.unavailable, [leg, 'provider-unavailable'] as const]),
    };
    const instead = decideStep(job.verification, job.past, without, deps.now());
    if (instead.kind === 'send') {
      passed.legs.set(leg, 'provider-unavailable');
      passed.resumesAt = passed.resumesAt && passed.resumesAt < until ? passed.resumesAt : until;
      return null;
    }
  }
  return sleep(deps, job, until < job.verification.expiresAt ? until : job.verification.expiresAt);
}

async function openAttempt(
  { leg, after }: NextSend,
  { channel, provider, referenceOf }: GuardedChannel,
  bill: Bill | null,
  sending: Sending,
): Promise<'opened' | 'lost' | PaidRefusal> {
  const { deps, job, project } = sending;
  const n = job.attemptsMade + 1;
  const opening = {
    jobId: job.id,
    n,
    channel,
    provider,
    providerReference: referenceOf?.(job.id, n),
    chosen: choiceOf(leg, job, sending.route),
    chosenAfter: after ?? undefined,
  };
  if (!bill) return deps.store.open(opening);
  const { projectId, addressHash, scored, isTrusted, askedBy } = job;
  const decision = await deps.paid.open({
    ...opening,
    projectId,
    addressHash,
    scored,
    isTrusted,
    askedBy,
    budget: dayBudgetOf(project.settings),
    reservedMicros: bill.reservedMicros,
    isLater: job.past.some(isPaid),
  });
  return decision.kind === 'accepted' ? decision.opened : decision.reason;
}

interface Sent {
  readonly entry: Entered<CodeMessage>;
  readonly message: CodeMessage;
  readonly bill: Bill | null;
  readonly approval: Approval;
}

/** Sends, decides what follows from the answer, and records both in one commit. */
async function attempt(
  { channel, provider }: GuardedChannel,
  { entry, message, bill, approval }: Sent,
  sending: Sending,
): Promise<Woken | null> {
  const { deps, job, rules } = sending;
  const sentAt = deps.now();
  const sentAtMs = performance.now();
  const reply = await withinTime(sending.signal, otpSend.attemptTimeoutMs, (signal) =>
    entry.send(message, signal),
  );
  await forgetDeadAddress(channel, reply, sentAt, sending);
  const ended = endedAttempt({ channel, provider }, reply, {
    n: job.attemptsMade + 1,
    sentAt,
    now: deps.now(),
  });
  const afterIt = { ...rules, isDue: false };
  const past = [...job.past.map(asClosed), ended];
  const next = orResume(decideStep(job.verification, past, afterIt, deps.now()), job, sending.passed);
  const { n, outcome, reason } = ended;
  const closing: ClosingAttempt = {
    jobId: job.id,
    n,
    outcome,
    reason,
    ...proofOf(bill, reply, deps.sms.uzsPerUsd),
    latencyMs: Math.round(performance.now() - sentAtMs),
    ...saidBy(reply),
    next: next.kind === 'finish' ? next : { runAt: next.kind === 'wait' ? next.until : deps.now() },
  };
  const closed = await closeSurely(deps.store, closing);
  deps.onAttempt({ ...closing, channel, provider, requestId: job.requestId });
  // After the attempt is closed: a fault here repeats no message.
  await noteAnswer(provider, { reply, text: message.text, approval }, sending);
  // A callback or a check came meanwhile: read again.
  return closed.reported || closed.settled ? null : wokenBy(next, ended, sending);
}

/** Null where the next leg is due, or what came of an earlier message must be read first. */
function wokenBy(
  next: ReturnType<typeof decideStep>,
  { outcome, reason }: PastAttempt,
  { deps, job }: Sending,
): Woken | null {
  switch (next.kind) {
    case 'send':
      return null;
    case 'wait': {
      const failed = outcome === 'failed' ? reason : null;
      return failed === null && job.past.some(mayArrive)
        ? null
        : { kind: 'waiting', until: next.until, failed };
    }
    case 'finish':
      deps.onFinished(next.state);
      return { kind: 'finished', state: next.state, reason: next.reason };
  }
}

/** What stands open in the row was closed as unknown a moment ago. */
const asClosed = (attempt: PastAttempt): PastAttempt =>
  attempt.outcome === null ? { ...attempt, outcome: 'unknown' } : attempt;

function endedAttempt(
  { channel, provider }: Pick<GuardedChannel, 'channel' | 'provider'>,
  reply: SendReply,
  { n, sentAt, now }: { n: number; sentAt: Date; now: Date },
): PastAttempt & { outcome: ClosingAttempt['outcome'] } {
  const ended = { n, channel, provider, openedAt: sentAt, closedAt: now, delivery: null };
  switch (reply.kind) {
    case 'accepted':
      return { ...ended, outcome: 'completed', reason: null };
    case 'refused':
      return { ...ended, outcome: 'rejected', reason: reply.reason };
    case 'faulted':
      return { ...ended, outcome: 'failed', reason: reply.reason, ...askedWait(reply) };
    case 'busy':
      return { ...ended, outcome: 'snoozed', reason: reply.because, retryAfterMs: reply.retryAfterMs };
    case 'unknown':
      return { ...ended, outcome: 'unknown', reason: reply.reason };
  }
}

async function forgetDeadAddress(
  channel: Channel,
  reply: SendReply,
  sentAt: Date,
  { deps, job }: Sending,
): Promise<void> {
  if (reply.kind !== 'refused' || !reply.addressIsDead || !job.recipientId) return;
  const { chatId, pushToken } = job.addresses;
  if (channel === 'telegram' && chatId) await deps.chats.close(chatId, reply.reason, sentAt, deps.now());
  if (channel === 'push' && pushToken) await deps.jobs.forgetPushToken(job.recipientId, pushToken);
}
