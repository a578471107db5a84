import type { EngineReason } from '../../domain/job/reasons.ts';
import type { FinalState } from '../../domain/job/job.ts';
import type { JobStore } from '../../domain/job/store.ts';
import type { Wake, Woken } from '../../domain/job/wake.ts';
import { decideMove, decidePayout, type PayoutStep } from '../../domain/pay/dispatch/decide.ts';
import type { DispatchState, Heard, Move, UnpayableReason } from '../../domain/pay/dispatch/dispatch.ts';
import type {
  Claimed,
  Dispatches,
  Moved,
  MoveOrder,
  NumberedCall,
  OpenDispatch,
  PayoutJob,
} from '../../domain/pay/dispatch/port.ts';
import type { CardRail } from '../../domain/pay/rail/port.ts';
import type { PayJobReason } from '../../domain/pay/reasons.ts';
import type { JobId } from '../../domain/shared/ids.ts';
import type { Places } from './places.ts';
import { type CommittedCall, type Ended, makeCall } from './rail-calls.ts';

export interface PayoutDeps {
  readonly dispatches: Dispatches;
  readonly store: Pick<JobStore, 'finish' | 'postpone'>;
  readonly rail: CardRail;
  readonly places: Places;
  readonly now: () => Date;
  readonly onCall: (call: {
    dispatchId: string;
    call: NumberedCall;
    heard: Heard;
    latencyMs: number;
  }) => void;
  readonly onMoved: (dispatchId: string, move: Move) => void;
  readonly onFinished: (state: FinalState) => void;
  /** What should not happen: the payment is asked about. */
  readonly onBug: (error: unknown, dispatchId: string) => void;
}

/** Another worker has it in hand, or the queue is paused. */
const LOOK_AGAIN_MS = 1_000;
/** The rail is stopped or the batch paused: people take their time. */
const CLOSED_MS = 10_000;
/** As many are under way as may be: one of them ends in a moment. */
const FULL_MS = 3_000;
/** Steps of one wake-up: draft, confirm, and what goes wrong between. More is a loop. */
const STEPS_MAX = 12;
/** Tries and pause of a move whose answer was lost: the money may have left. */
const MOVE_TRIES = 5;
const MOVE_PAUSE_MS = 300;

/** The worker of `payout`: reads, decides, commits each call before it makes it, and moves the dispatch by what came of it. */
export function payoutWake(deps: PayoutDeps): Wake {
  return async (id, signal) => {
    for (let steps = 1; steps <= STEPS_MAX && !signal.aborted; steps++) {
      const job = await deps.dispatches.read(id);
      const woken = await (job ? once(deps, job, signal) : gone);
      if (woken) return woken;
    }
    return soon(deps, LOOK_AGAIN_MS);
  };
}

const gone: Woken = { kind: 'finished', state: 'cancelled', reason: 'no-such-job' satisfies EngineReason };

/** One step; null where the next one is due at once. */
async function once(deps: PayoutDeps, job: PayoutJob, signal: AbortSignal): Promise<Woken | null> {
  if (job.finished) return { kind: 'finished', state: job.finished, reason: job.reason };
  if (job.paused) return soon(deps, LOOK_AGAIN_MS);
  const { dispatch } = job;
  if (!dispatch) return end(deps, job.id, 'cancelled', 'payout-replaced');
  const step = decidePayout(dispatch, deps.now());
  switch (step.kind) {
    case 'finish':
      return finish(deps, job.id, dispatch.state);
    case 'wait':
      return sleep(deps, job, step.until);
    case 'move':
      await moveSurely(deps, { dispatch, ended: null, move: step.move, railUuid: null, commission: null });
      return null;
    case 'close-lost':
      return closeLost(deps, dispatch, step.move);
    case 'call':
      return call(deps, job, dispatch, step, signal);
  }
}

const soon = ({ now }: PayoutDeps, ms: number): Woken => ({
  kind: 'waiting',
  until: new Date(now().getTime() + ms),
  failed: null,
});

async function sleep(deps: PayoutDeps, { id, attemptsMade }: PayoutJob, until: Date): Promise<Woken> {
  await deps.store.postpone(id, attemptsMade, until);
  return { kind: 'waiting', until, failed: null };
}

async function end(
  deps: PayoutDeps,
  id: JobId,
  state: FinalState,
  reason: PayJobReason | null,
): Promise<Woken> {
  await deps.store.finish(id, state, reason);
  deps.onFinished(state);
  return { kind: 'finished', state, reason };
}

const ends: Readonly<Partial<Record<DispatchState, readonly [FinalState, PayJobReason | null]>>> = {
  paid: ['completed', null],
  exported: ['completed', null],
  returned: ['completed', 'payout-returned'],
  failed: ['rejected', 'payout-failed'],
  dropped: ['cancelled', 'payout-dropped'],
  stuck: ['failed', 'payout-stuck'],
};

function finish(deps: PayoutDeps, id: JobId, state: DispatchState): Promise<Woken> {
  const [ended, reason] = ends[state] ?? ['failed', 'payout-stuck'];
  return end(deps, id, ended, reason);
}

async function closeLost(deps: PayoutDeps, dispatch: OpenDispatch, move: Move): Promise<null> {
  const open = dispatch.calls.findLast(({ outcome }) => outcome === null);
  if (!open) return null;
  const ended = { call: open, heard: { kind: 'worker-lost' } as const, kept: {} };
  await moveSurely(deps, { dispatch, ended, move, railUuid: null, commission: null });
  return null;
}

/** Commits the call, makes it, and records what came of it; and the confirmation that the record of a draft has opened. */
async function call(
  deps: PayoutDeps,
  job: PayoutJob,
  dispatch: OpenDispatch,
  step: Extract<PayoutStep, { kind: 'call' }>,
  signal: AbortSignal,
): Promise<Woken | null> {
  const done = await deps.places.mayCommit();
  let lookFor: number | null;
  try {
    const committingAtMs = performance.now();
    const attempt = step.what === 'find' ? step.attempt : dispatch.attempt;
    const claimed = await deps.dispatches.claim({ dispatch, what: step.what, attempt });
    if (claimed.kind === 'lost') return soon(deps, LOOK_AGAIN_MS);
    if (claimed.kind !== 'opened') {
      lookFor = claimed.lookFor;
      if (lookFor === null) return await refused(deps, job, dispatch, claimed);
    } else {
      const opened = withCall(dispatch, claimed.call);
      const after = await carryOut(deps, { ...claimed, dispatch: opened, committingAtMs }, signal);
      const { ended } = after.confirming ? await carryOut(deps, after.confirming, signal) : after;
      if (step.what === 'draft' && claimed.token === null)
        throw new Error(`the token of dispatch ${dispatch.id} can't be decrypted`);
      // Committed, so that there is nothing to read; and the place is given back meanwhile.
      return ended ? finish(deps, job.id, ended) : null;
    }
  } finally {
    done();
  }
  return call(deps, job, dispatch, { kind: 'call', what: 'find', attempt: lookFor }, signal);
}

/** Nothing of it is in doubt: it waits for people or for room, or fails. */
function refused(
  deps: PayoutDeps,
  job: PayoutJob,
  dispatch: OpenDispatch,
  claimed: Extract<Claimed, { kind: 'later' | 'unpayable' }>,
): Promise<Woken | null> {
  if (claimed.kind === 'unpayable') return fail(deps, dispatch, claimed.because);
  const waitMs = claimed.because === 'full' ? FULL_MS : CLOSED_MS;
  return sleep(deps, job, new Date(deps.now().getTime() + waitMs));
}

async function fail(deps: PayoutDeps, dispatch: OpenDispatch, reason: UnpayableReason): Promise<null> {
  const move: Move = { to: 'failed', nextAt: deps.now(), reason, confirms: false, stopsRail: null };
  await moveSurely(deps, { dispatch, ended: null, move, railUuid: null, commission: null });
  return null;
}

const withCall = (dispatch: OpenDispatch, made: NumberedCall): OpenDispatch => ({
  ...dispatch,
  attempt: made.what === 'draft' ? made.attempt : dispatch.attempt,
  calls: [...dispatch.calls, made],
});

interface CarriedOut {
  /** The confirmation that was opened in the same commit. */
  readonly confirming: CommittedCall | null;
  /** The end that it came to. */
  readonly ended: DispatchState | null;
}

/** Makes the call and moves the dispatch. */
async function carryOut(
  deps: PayoutDeps,
  committed: CommittedCall,
  signal: AbortSignal,
): Promise<CarriedOut> {
  const { dispatch, call: made } = committed;
  const startedMs = performance.now();
  const ended = await makeCall(deps.rail, deps.places, committed, signal, (error) =>
    deps.onBug(error, dispatch.id),
  );
  const latencyMs = Math.round(performance.now() - startedMs);
  deps.onCall({ dispatchId: dispatch.id, call: made, heard: ended.heard, latencyMs });
  const move = decideMove(dispatch, ended.heard, deps.now());
  const railUuid = namesPayment(made, move) ? ended.railUuid : null;
  const committingAtMs = performance.now();
  const moved = await moveSurely(deps, {
    dispatch,
    move,
    railUuid,
    ended: { call: made, heard: ended.heard, kept: ended.kept },
    commission: railUuid === null && move.to !== 'paid' ? null : ended.commission,
  });
  if (moved.kind !== 'confirming')
    return { confirming: null, ended: moved.kind === 'moved' && ends[move.to] ? move.to : null };
  const confirmed = withCall({ ...closed(dispatch, ended, deps.now()), railUuid }, moved.call);
  const confirming = { ...committed, dispatch: confirmed, call: moved.call, token: null, committingAtMs };
  return { confirming, ended: null };
}

/** The rail's name for the payment that the dispatch goes on with: of its draft, or of one that is found to have been paid. */
const namesPayment = ({ what }: NumberedCall, { to }: Move): boolean =>
  what === 'draft' || (what === 'find' && (to === 'paid' || to === 'unknown' || to === 'returned'));

const closed = (dispatch: OpenDispatch, { heard }: Ended, now: Date): OpenDispatch => ({
  ...dispatch,
  state: 'confirming',
  calls: dispatch.calls.map((each) =>
    each.outcome === null
      ? {
          ...each,
          closedAt: now,
          outcome: heard.kind,
          status: heard.kind === 'answered' ? heard.status : null,
          because: heard.kind === 'refused' ? heard.because : null,
        }
      : each,
  ),
});

/** Repeated where its answer was lost: a call is closed once, so that the second one finds it done. */
async function moveSurely(deps: PayoutDeps, order: MoveOrder): Promise<Moved> {
  for (let tries = 1; ; tries++) {
    try {
      const moved = await deps.dispatches.move(order);
      if (moved.kind !== 'lost') deps.onMoved(order.dispatch.id, order.move);
      return moved;
    } catch (error) {
      if (tries === MOVE_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, MOVE_PAUSE_MS * 2 ** (tries - 1)));
    }
  }
}
