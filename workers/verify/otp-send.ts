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
import { decideStep, type PastAttempt, type StepRules } from '../../domain/verify/step.ts';
import { codeText } from '../../domain/verify/text.ts';
import type { Verification } from '../../domain/verify/verification.ts';
import type { CodeTexts } from '../../domain/shared/code-texts.ts';
import type { ProjectSettings } from '../../domain/project/settings.ts';
import { askedWait, closeSurely, saidBy } from '../engine/attempt.ts';
import type { Chats } from '../../domain/telegram/chat.ts';
import { withinTime } from '../engine/time-limit.ts';
import type { EngineReason } from '../../domain/job/reasons.ts';
import type { CodeEndReason } from '../../domain/verify/reasons.ts';

export interface OtpSendDeps {
  readonly jobs: OtpJobs;
  readonly store: JobStore;
  readonly paid: PaidAttempts;
  readonly chats: Pick<Chats, 'close'>;
  /** Channels that have a provider here, each behind its provider guard. */
  readonly channels: ReadonlyMap<Channel, GuardedChannel>;
  /** Pushes to whom the project gave no token of its own; null where pushes are off. */
  readonly ownApp: GuardedChannel | null;
  /** The project's slug and settings; a cache of some seconds is fine. */
  readonly project: (id: ProjectId) => Promise<{ slug: string; settings: ProjectSettings }>;
  /** Texts of purposes that have their own. */
  readonly purposeTexts: ReadonlyMap<string, CodeTexts>;
  /** Derives the code that this verification's person must type. */
  readonly codeOf: (verification: Verification) => string;
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
/** A row that is due in a moment is worked on now: clocks of two machines differ by some milliseconds. */
const EARLY_MS = 20;
/** A queue entry of a paused queue, or of a job that another worker has in hand, is looked at again so much later. */
const LOOK_AGAIN_MS = 1_000;

/** `otp-send`: brings one code to one person along its chain of channels. */
export function otpSendWake(deps: OtpSendDeps): Wake {
  return async (id, signal) => {
    const unavailable = new Map<Channel, CodeEndReason>();
    const takenAt = deps.now();
    for (let step = 0; step < STEPS_MAX; step++) {
      // The process is going: what is left is for the next one.
      if (signal.aborted) return { kind: 'waiting', until: deps.now(), failed: null };
      const job = await deps.jobs.read(id);
      if (!job) return { kind: 'finished', state: 'cancelled', reason: 'no-such-job' satisfies EngineReason };
      const woken = await takeStep(deps, job, { takenAt, unavailable, signal });
      if (woken) return woken;
    }
    throw new Error(`more than ${STEPS_MAX} steps in one wake-up`);
  };
}

interface WakeUp {
  readonly takenAt: Date;
  readonly unavailable: Map<Channel, CodeEndReason>;
  readonly signal: AbortSignal;
}

/** One step of the chain; null when the next one is due at once. */
async function takeStep(deps: OtpSendDeps, job: OtpJob, wakeUp: WakeUp): Promise<Woken | null> {
  const { takenAt, unavailable, signal } = wakeUp;
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
  // Where this wake-up found a channel closed, the row's time was for that channel, and no other one's pause is over by it.
  const rules = {
    ...rulesOf(deps, job, project.settings, unavailable),
    isDue: isDue && unavailable.size === 0,
  };
  const step = decideStep(job.verification, job.past, rules, deps.now());
  switch (step.kind) {
    case 'finish':
      return end(deps, job.id, step.state, step.reason);
    case 'wait':
      return sleep(deps, job, step.until);
    case 'send':
      return sendOn(step.send.channel, { deps, job, project, rules, unavailable, signal });
  }
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

/** A channel without address or provider is passed over; so is what this wake-up found closed. */
function rulesOf(
  deps: OtpSendDeps,
  job: OtpJob,
  settings: ProjectSettings,
  unavailable: ReadonlyMap<Channel, CodeEndReason>,
): Omit<StepRules, 'isDue'> {
  const missing = job.verification.channels.flatMap((channel): [Channel, CodeEndReason][] => {
    if (!deps.channels.has(channel)) return [[channel, 'no-provider']];
    return hasAddress(deps, job, channel) ? [] : [[channel, 'no-address']];
  });
  return {
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
  readonly rules: StepRules;
  readonly unavailable: Map<Channel, CodeEndReason>;
  readonly signal: AbortSignal;
}

/** Asks for a place at the provider before an attempt is opened, so that a full or failing one costs none. */
async function sendOn(channel: Channel, sending: Sending): Promise<Woken | null> {
  const guarded = channelTo(sending.job, channel, sending.deps);
  if (!guarded) throw new Error(`decideStep chose ${channel}, which has no provider`);
  const entry = await guarded.enterSoon();
  if (!entry.entered) return passBy(channel, entry, sending);
  try {
    const opened = await openAttempt(channel, guarded, sending);
    if (opened === 'lost') return null;
    if (opened !== 'opened') {
      sending.unavailable.set(channel, opened);
      return null;
    }
    return await attempt(channel, guarded, entry, sending);
  } finally {
    entry.leave();
  }
}

/** A push goes to the project's own app where it gave us a token, else to Navbat's. */
function channelTo({ addresses }: OtpJob, channel: Channel, { channels, ownApp }: OtpSendDeps) {
  return channel === 'push' && addresses.pushToken === null ? ownApp : channels.get(channel);
}

/** An open breaker counts as unavailable: the chain moves on, or waits where nothing else is left. A full concurrency limit is waited out. */
async function passBy(
  channel: Channel,
  entry: { because: 'full' | 'open'; retryAfterMs: number },
  sending: Sending,
): Promise<Woken | null> {
  const { deps, job, rules, unavailable } = sending;
  if (entry.because === 'open') {
    const without = {
      ...rules,
      isDue: false,
      unavailable: new Map([...rules.unavailable, [channel, 'provider-unavailable'] as const]),
    };
    const instead = decideStep(job.verification, job.past, without, deps.now());
    if (instead.kind === 'send') {
      unavailable.set(channel, 'provider-unavailable');
      return null;
    }
  }
  const until = new Date(deps.now().getTime() + entry.retryAfterMs);
  return sleep(deps, job, until < job.verification.expiresAt ? until : job.verification.expiresAt);
}

async function openAttempt(
  channel: Channel,
  { provider }: GuardedChannel,
  { deps, job, project }: Sending,
): Promise<'opened' | 'lost' | PaidRefusal> {
  const opening = { jobId: job.id, n: job.attemptsMade + 1, channel, provider };
  const { paid, reservedMicros } = channelRules[channel];
  if (!paid) return deps.store.open(opening);
  const { projectId, addressHash, scored, isTrusted, askedBy } = job;
  const decision = await deps.paid.open({
    ...opening,
    projectId,
    addressHash,
    scored,
    isTrusted,
    askedBy,
    budget: dayBudgetOf(project.settings),
    reservedMicros,
  });
  return decision.kind === 'accepted' ? decision.opened : decision.reason;
}

/** Sends, decides what follows from the answer, and records both in one commit. */
async function attempt(
  channel: Channel,
  { provider }: GuardedChannel,
  entry: Entered<CodeMessage>,
  sending: Sending,
): Promise<Woken | null> {
  const { deps, job, rules } = sending;
  const sentAt = deps.now();
  const sentAtMs = performance.now();
  const message = messageOf(sending, channel);
  const reply = await withinTime(sending.signal, otpSend.attemptTimeoutMs, (signal) =>
    entry.send(message, signal),
  );
  await forgetDeadAddress(channel, reply, sentAt, sending);

  const ended = endedAttempt({ channel, provider }, reply, job.attemptsMade + 1, deps.now());
  const afterIt = { ...rules, isDue: false };
  const next = decideStep(job.verification, [...job.past.map(asClosed), ended], afterIt, deps.now());
  const closing: ClosingAttempt = {
    jobId: job.id,
    n: ended.n,
    outcome: ended.outcome,
    reason: ended.reason,
    ...proofOf(channel, reply),
    latencyMs: Math.round(performance.now() - sentAtMs),
    ...saidBy(reply),
    next: next.kind === 'finish' ? next : { runAt: next.kind === 'wait' ? next.until : deps.now() },
  };
  const closed = await closeSurely(deps.store, closing);
  deps.onAttempt({ ...closing, channel, provider, requestId: job.requestId });
  const failed = ended.outcome === 'failed' ? ended.reason : null;
  // A callback or a check came meanwhile, or may have come of an earlier message, or the next channel is due: read again.
  const mayWait = next.kind === 'wait' && (failed !== null || !job.past.some(mayArrive));
  if (closed.reported || closed.settled || next.kind === 'send' || (next.kind === 'wait' && !mayWait))
    return null;
  if (next.kind === 'wait') return { kind: 'waiting', until: next.until, failed };
  deps.onFinished(next.state);
  return { kind: 'finished', state: next.state, reason: next.reason };
}

/** What stands open in the row was closed as unknown a moment ago. */
const asClosed = (attempt: PastAttempt): PastAttempt =>
  attempt.outcome === null ? { ...attempt, outcome: 'unknown' } : attempt;

function messageOf({ deps, job, project }: Sending, channel: Channel): CodeMessage {
  const { verification } = job;
  const code = deps.codeOf(verification);
  const ttlSeconds = Math.max(
    1,
    Math.floor((verification.expiresAt.getTime() - deps.now().getTime()) / 1_000),
  );
  const name = project.settings.display_name ?? project.slug;
  const words = codeText(
    {
      code,
      project: name,
      purposeTexts: deps.purposeTexts.get(verification.purpose) ?? null,
      payment: verification.payment,
      ttlSeconds,
      locale: verification.locale,
    },
    project.settings,
    channel === 'sms' ? 'sms' : 'screen',
  );
  return {
    jobId: job.id,
    attempt: job.attemptsMade + 1,
    to: job.addresses,
    code,
    ...words,
    locale: verification.locale,
    ttlSeconds,
  };
}

function endedAttempt(
  { channel, provider }: Pick<GuardedChannel, 'channel' | 'provider'>,
  reply: SendReply,
  n: number,
  now: Date,
): PastAttempt & { outcome: ClosingAttempt['outcome'] } {
  const ended = { n, channel, provider, closedAt: now, delivery: null };
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

/** Reference and cost. A message that may have left keeps its reservation; one that did not gives it back. */
function proofOf(
  channel: Channel,
  reply: SendReply,
): Pick<ClosingAttempt, 'providerReference' | 'costMicros' | 'costCurrency'> {
  const { paid, reservedMicros } = channelRules[channel];
  const reserved = paid
    ? { costMicros: BigInt(reservedMicros), costCurrency: 'USD' }
    : { costMicros: null, costCurrency: null };
  if (reply.kind === 'unknown') return { providerReference: null, ...reserved };
  if (reply.kind !== 'accepted') return { providerReference: null, costMicros: null, costCurrency: null };
  const cost = reply.cost ? { costMicros: reply.cost.micros, costCurrency: reply.cost.currency } : reserved;
  return { providerReference: reply.reference, ...cost };
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
