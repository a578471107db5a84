import { isAbandoned } from '../../domain/job/abandoned.ts';
import type { JobDefinition } from '../../domain/job/define-job.ts';
import type { Entered, Guarded } from '../../domain/job/guard.ts';
import type { FinalState } from '../../domain/job/job.ts';
import type { JobId } from '../../domain/shared/ids.ts';
import type { EngineReason } from '../../domain/job/reasons.ts';
import type { SendReply } from '../../domain/job/reply.ts';
import { decideRetry, type PastTry, type RetryRules } from '../../domain/job/retry.ts';
import type { SingleJob } from '../../domain/job/single.ts';
import type { ClosingAttempt, JobStore } from '../../domain/job/store.ts';
import type { Wake, Woken } from '../../domain/job/wake.ts';
import { closeSurely, outcomeOf, saidBy } from './attempt.ts';
import { withinTime } from './time-limit.ts';

export interface SingleDeps<Work extends object> {
  readonly definition: Pick<JobDefinition, 'attemptsMax' | 'delaysMs' | 'unknownMax' | 'attemptTimeoutMs'>;
  readonly read: (id: JobId) => Promise<SingleJob<Work> | null>;
  readonly store: JobStore;
  /** The provider of this work, behind its concurrency limit and breaker. */
  readonly providerOf: (work: Work) => Guarded<Work>;
  /** After an attempt, before it is recorded: forget a dead address, note an answer. Safe to repeat. */
  readonly afterReply?: (
    job: SingleJob<Work>,
    work: Work,
    attempt: number,
    reply: SendReply,
    sentAt: Date,
  ) => Promise<void>;
  readonly now: () => Date;
  /** 0 to 1. */
  readonly random: () => number;
  readonly onAttempt: (
    attempt: ClosingAttempt & { channel: string; provider: string; requestId: string | null },
  ) => void;
  readonly onFinished: (state: FinalState) => void;
}

/** A row that is due in a moment is worked on now: clocks of two machines differ by some milliseconds. */
const EARLY_MS = 20;
/** A queue entry of a paused queue, or of a job that another worker has in hand, is looked at again so much later. */
const LOOK_AGAIN_MS = 1_000;

/** The worker of every kind with one call to one provider: read, decide, find a place, open, call, record. */
export function singleWake<Work extends object>(deps: SingleDeps<Work>): Wake {
  return async (id, signal) => {
    const takenAt = deps.now();
    const job = await deps.read(id);
    if (!job) return { kind: 'finished', state: 'cancelled', reason: 'no-such-job' satisfies EngineReason };

    const abandoned = isAbandoned(job.openSince, takenAt);
    if (abandoned) await deps.store.closeAbandoned(job.id, job.attemptsMade, takenAt);
    if (job.finished) return { kind: 'finished', state: job.state as FinalState, reason: job.reason };
    if (job.paused || (job.openSince !== null && !abandoned)) return later(deps, LOOK_AGAIN_MS);
    if (job.work === null) return end(deps, id, 'rejected', 'payload-unreadable' satisfies EngineReason);
    if ('settled' in job.work) return end(deps, id, job.work.settled, job.work.reason);
    if (job.runAt.getTime() - takenAt.getTime() > EARLY_MS)
      return { kind: 'waiting', until: job.runAt, failed: null };

    // The pause was drawn when the attempt was closed and stands in the row. It is over, or staff have cut it short: nothing is left
    // to wait for.
    const step = decideRetry(job.past, rulesOf(deps, job), deps.now());
    if (step.kind === 'finish') return end(deps, id, step.state, step.reason);
    if ('postponedTo' in job.work) return sleep(deps, job, job.work.postponedTo);
    return tryOnce(deps, job, job.work, signal);
  };
}

const later = <Work extends object>({ now }: SingleDeps<Work>, ms: number): Woken => ({
  kind: 'waiting',
  until: new Date(now().getTime() + ms),
  failed: null,
});

async function end<Work extends object>(
  deps: SingleDeps<Work>,
  id: JobId,
  state: FinalState,
  reason: string | null,
): Promise<Woken> {
  await deps.store.finish(id, state, reason);
  deps.onFinished(state);
  return { kind: 'finished', state, reason };
}

async function sleep<Work extends object>(
  deps: SingleDeps<Work>,
  { id, attemptsMade }: SingleJob<Work>,
  until: Date,
): Promise<Woken> {
  await deps.store.postpone(id, attemptsMade, until);
  return { kind: 'waiting', until, failed: null };
}

const rulesOf = <Work extends object>(deps: SingleDeps<Work>, job: SingleJob<Work>): RetryRules => ({
  attemptsMax: deps.definition.attemptsMax,
  delaysMs: deps.definition.delaysMs,
  unknownMax: deps.definition.unknownMax,
  jitter: deps.random(),
  deadlineAt: job.deadlineAt,
});

/** Asks for a place at the provider before an attempt is opened, so that a full or failing one costs none. */
async function tryOnce<Work extends object>(
  deps: SingleDeps<Work>,
  job: SingleJob<Work>,
  work: Work,
  signal: AbortSignal,
): Promise<Woken> {
  const provider = deps.providerOf(work);
  const entry = await provider.enterSoon();
  if (!entry.entered) {
    const until = new Date(deps.now().getTime() + entry.retryAfterMs);
    return sleep(deps, job, until < job.deadlineAt ? until : job.deadlineAt);
  }
  try {
    const { channel, provider: name } = provider;
    const n = job.attemptsMade + 1;
    const providerReference = provider.referenceOf?.(job.id, n);
    const opened = await deps.store.open({ jobId: job.id, n, channel, provider: name, providerReference });
    if (opened === 'lost') return later(deps, LOOK_AGAIN_MS);
    return await attempt(deps, job, work, { entry, channel, provider: name, signal });
  } finally {
    entry.leave();
  }
}

interface Place<Work> {
  readonly entry: Entered<Work>;
  readonly channel: string;
  readonly provider: string;
  readonly signal: AbortSignal;
}

/** Calls, decides what follows from the answer, and records both in one commit. */
async function attempt<Work extends object>(
  deps: SingleDeps<Work>,
  job: SingleJob<Work>,
  work: Work,
  place: Place<Work>,
): Promise<Woken> {
  const n = job.attemptsMade + 1;
  const sentAt = deps.now();
  const sentAtMs = performance.now();
  const reply = await withinTime(place.signal, deps.definition.attemptTimeoutMs, (limited) =>
    place.entry.send(work, limited),
  );
  const latencyMs = Math.round(performance.now() - sentAtMs);
  await deps.afterReply?.(job, work, n, reply, sentAt);

  const ended = { n, closedAt: deps.now(), ...outcomeOf(reply) };
  const step = decideRetry([...job.past.map(asClosed), ended], rulesOf(deps, job), deps.now());
  const next = step.kind === 'finish' ? step : { runAt: step.kind === 'wait' ? step.until : deps.now() };
  const proof = reply.kind === 'accepted' ? reply : { reference: null, cost: null };
  const closing: ClosingAttempt = {
    jobId: job.id,
    n,
    outcome: ended.outcome,
    reason: ended.reason,
    providerReference: proof.reference,
    costMicros: proof.cost?.micros ?? null,
    costCurrency: proof.cost?.currency ?? null,
    latencyMs,
    ...saidBy(reply),
    next,
  };
  await closeSurely(deps.store, closing);
  deps.onAttempt({ ...closing, channel: place.channel, provider: place.provider, requestId: job.requestId });
  if (!('state' in next))
    return { kind: 'waiting', until: next.runAt, failed: ended.outcome === 'failed' ? ended.reason : null };
  deps.onFinished(next.state);
  return { kind: 'finished', state: next.state, reason: next.reason };
}

/** What stood open in the row was closed as unknown a moment ago. */
const asClosed = (past: PastTry): PastTry => (past.outcome === null ? { ...past, outcome: 'unknown' } : past);
