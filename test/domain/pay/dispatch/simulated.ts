import { decideMove, decidePayout, type PayoutStep } from '../../../../domain/pay/dispatch/decide.ts';
import type { CallKind, Dispatch, Heard, Move, RailCall } from '../../../../domain/pay/dispatch/dispatch.ts';

export const start = new Date('2026-11-29T10:00:00Z');
export const at = (seconds: number): Date => new Date(start.getTime() + seconds * 1_000);

export const fresh: Dispatch = { state: 'waiting', attempt: 0, railUuid: null, nextAt: start, calls: [] };

/** A call of some past second, which was closed in the same one unless told otherwise. */
export const call = (what: CallKind, second: number, change: Partial<RailCall> = {}): RailCall => ({
  what,
  attempt: 1,
  openedAt: at(second),
  closedAt: at(second),
  outcome: 'answered',
  status: null,
  because: null,
  ...change,
});

export const open = (dispatch: Dispatch, what: CallKind, attempt: number, now: Date): Dispatch => ({
  ...dispatch,
  attempt: what === 'draft' ? attempt : dispatch.attempt,
  state: what === 'draft' ? 'drafting' : what === 'confirm' ? 'confirming' : dispatch.state,
  calls: [
    ...dispatch.calls,
    { what, attempt, openedAt: now, closedAt: null, outcome: null, status: null, because: null },
  ],
});

/** As the database writes a move, whose call is the open one. */
function applied(dispatch: Dispatch, move: Move, heard: Heard | null, now: Date): Dispatch {
  const last = dispatch.calls.at(-1);
  const calls = dispatch.calls.map((each) =>
    each.outcome === null && heard
      ? {
          ...each,
          closedAt: now,
          outcome: heard.kind,
          status: heard.kind === 'answered' ? heard.status : null,
          because: heard.kind === 'refused' ? heard.because : null,
        }
      : each,
  );
  const isNamed =
    heard?.kind === 'answered' &&
    (last?.what === 'draft' || (last?.what === 'find' && ['paid', 'unknown', 'returned'].includes(move.to)));
  const moved: Dispatch = {
    ...dispatch,
    calls,
    state: move.to,
    nextAt: move.nextAt,
    railUuid: isNamed ? `uuid-${last.attempt}` : dispatch.railUuid,
  };
  return move.confirms ? open(moved, 'confirm', moved.attempt, now) : moved;
}

/** What a worker does at this moment, where the rail answers so. `lost`: the worker dies in the call. */
export function worked(
  dispatch: Dispatch,
  answer: Heard | 'lost',
  now: Date,
): { dispatch: Dispatch; step: PayoutStep } {
  const step = decidePayout(dispatch, now);
  if (step.kind === 'close-lost')
    return { step, dispatch: applied(dispatch, step.move, { kind: 'worker-lost' }, now) };
  if (step.kind === 'move') return { step, dispatch: applied(dispatch, step.move, null, now) };
  if (step.kind !== 'call') return { step, dispatch };
  const attempt =
    step.what === 'draft' ? dispatch.attempt + 1 : step.what === 'find' ? step.attempt : dispatch.attempt;
  const opened = open(dispatch, step.what, attempt, now);
  return { step, dispatch: answered(opened, answer, now) };
}

/** The open call is answered so, and the confirm that may follow it in the same commit alike. */
export function answered(opened: Dispatch, answer: Heard | 'lost', now: Date): Dispatch {
  if (answer === 'lost') return opened;
  return applied(opened, decideMove(opened, answer, now), answer, now);
}
