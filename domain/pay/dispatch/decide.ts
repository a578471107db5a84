import type { RailRefusal } from '../rail/port.ts';
import type {
  Dispatch,
  DispatchReason,
  DispatchState,
  Heard,
  Move,
  PaymentStatus,
  RailCall,
  RailStopReason,
} from './dispatch.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A call begins so soon after its commit, or never: a second after a stop, everything has stopped. */
export const CALL_BEGINS_MS = SECOND;
/** A call's worker has a second to begin it and ten for its answer; what is open for longer is nobody's. */
export const CALL_LOST_MS = 15 * SECOND;
/** A rail may tell a payment as failed a moment before it succeeds: two answers so far apart are believed. */
export const APART_MS = 60 * SECOND;
/** After how long the rail is asked what became of a call without an answer. When they are used up, people decide. */
export const asksAfterMs: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  HOUR,
  6 * HOUR,
  24 * HOUR,
];
const LAST_ASK_MS = Math.max(...asksAfterMs);
/** Of those after the last one: the first, the one that confirms it, and one more where they differ. */
const LATE_ASKS_MAX = 3;
/** However often somebody says that there is news, the rail is asked no more often. */
const ASK_GAP_MS = 5 * SECOND;
/** An older draft may have become another at the rail: a new one costs nothing. */
export const DRAFT_AGE_MAX_MS = 10 * MINUTE;
/** After a refusal that may pass. */
export const draftsAgainMs: readonly number[] = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR];
/** Drafts that were sent: what none of them could begin, people look at. */
const DRAFTS_MAX = draftsAgainMs.length + 1;
/** With those that were never sent, each a second later than the one before: after five hours people look. */
const DRAFTS_IN_ALL_MAX = 200;
/** The same payment is confirmed again where the rail has not taken the first one. */
const CONFIRMS_MAX = 2;

export type PayoutStep =
  | { readonly kind: 'finish' }
  | { readonly kind: 'wait'; readonly until: Date }
  | { readonly kind: 'call'; readonly what: 'draft' }
  | { readonly kind: 'call'; readonly what: 'confirm' | 'read'; readonly railUuid: string }
  | { readonly kind: 'call'; readonly what: 'find'; readonly attempt: number }
  /** Its worker is gone: closed as such, and moved. */
  | { readonly kind: 'close-lost'; readonly move: Move }
  | { readonly kind: 'move'; readonly move: Move };

/** What is due of a dispatch now. Safe to ask twice: a call is opened by compare-and-set, and is the only open one. */
export function decidePayout(dispatch: Dispatch, now: Date): PayoutStep {
  const { state, calls, nextAt } = dispatch;
  const open = openCall(calls);
  if (open && !isClosed(state)) {
    const lostAt = later(open.openedAt, CALL_LOST_MS);
    if (now < lostAt) return { kind: 'wait', until: lostAt };
    return { kind: 'close-lost', move: decideMove(dispatch, { kind: 'worker-lost' }, now) };
  }
  if (now < nextAt && !isClosed(state)) return { kind: 'wait', until: nextAt };
  switch (state) {
    case 'waiting':
      return sentDrafts(calls).length >= DRAFTS_MAX || drafts(calls).length >= DRAFTS_IN_ALL_MAX
        ? move('stuck', now, { reason: 'attempts-used-up' })
        : { kind: 'call', what: 'draft' };
    case 'drafted':
      return ofDrafted(dispatch, now);
    case 'drafting':
    case 'confirming':
    case 'unknown':
    case 'asking':
      return ask(dispatch, now);
    case 'stuck':
    case 'paid':
    case 'failed':
    case 'returned':
    case 'dropped':
    case 'exported':
      return { kind: 'finish' };
  }
}

/** Nothing more is done for it, unless people settle it. */
const isClosed = (state: DispatchState): boolean =>
  ['paid', 'failed', 'returned', 'dropped', 'stuck', 'exported'].includes(state);

/** Confirmed, unless it is old, or an earlier attempt that was lost has been paid meanwhile. */
function ofDrafted(dispatch: Dispatch, now: Date): PayoutStep {
  const draft = draftOf(dispatch);
  // A draft that nobody confirmed pays nothing, however long it lies at the rail.
  if (!draft?.closedAt || dispatch.railUuid === null || now >= later(draft.closedAt, DRAFT_AGE_MAX_MS))
    return move('waiting', now);
  const [doubtful] = inDoubt(dispatch);
  if (doubtful !== undefined) return { kind: 'call', what: 'find', attempt: doubtful };
  return { kind: 'call', what: 'confirm', railUuid: dispatch.railUuid };
}

function ask(dispatch: Dispatch, now: Date): PayoutStep {
  const { calls, railUuid, attempt } = dispatch;
  const last = asks(dispatch).at(-1)?.closedAt;
  if (last && now < later(last, ASK_GAP_MS)) return { kind: 'wait', until: later(last, ASK_GAP_MS) };
  const first = firstOfStreak(dispatch)?.closedAt;
  // News does not shorten it.
  if (first && last && isSettling(dispatch) && now < later(first, APART_MS) && !isAgainDraft(dispatch))
    return { kind: 'wait', until: later(first, APART_MS) };
  if (isReadByUuid(dispatch) && railUuid !== null) {
    return isAgainDraft(dispatch) && confirmsSent(calls, attempt) < CONFIRMS_MAX
      ? { kind: 'call', what: 'confirm', railUuid }
      : { kind: 'call', what: 'read', railUuid };
  }
  const [doubtful] = isRefusedForGood(draftOf(dispatch)) ? inDoubt(dispatch) : [attempt];
  if (doubtful !== undefined) return { kind: 'call', what: 'find', attempt: doubtful };
  return move('failed', now, { reason: refusedReason(draftOf(dispatch)) });
}

/** Where a dispatch goes whose open call, the last one, came to this. */
export function decideMove(dispatch: Dispatch, heard: Heard, now: Date): Move {
  const after = { ...dispatch, calls: closeLast(dispatch.calls, heard, now) };
  const what = after.calls.at(-1)?.what;
  if (what === 'draft') return afterDraft(after, heard, now);
  if (what === 'confirm') return afterConfirm(after, heard, now);
  return what === 'find' ? afterFind(after, heard, now) : afterRead(after, heard, now);
}

function afterDraft(after: Dispatch, heard: Heard, now: Date): Move {
  switch (heard.kind) {
    case 'answered':
      if (heard.status === 'draft')
        return heard.amountDiffers
          ? to('stuck', now, { reason: 'rail-amount-differs' })
          : to('drafted', now, { confirms: inDoubt(after).length === 0 });
      return paidUnasked(heard.status, now) ?? to('unknown', later(now, firstAskMs));
    case 'refused':
      return afterRefusedDraft(after, heard.because, now);
    case 'unsent':
      return to('waiting', later(now, unsentAgainMs(after.calls)));
    case 'unknown':
    case 'worker-lost':
      return to('asking', later(now, firstAskMs));
  }
}

function afterRefusedDraft(after: Dispatch, because: RailRefusal, now: Date): Move {
  switch (because) {
    case 'card':
    case 'fields':
    case 'limit':
      return inDoubt(after).length === 0
        ? to('failed', now, { reason: refusedReason(draftOf(after)) })
        : to('asking', now);
    case 'not-found':
    case 'already-applied':
      // No word for a draft: as if there were no answer.
      return to('asking', later(now, firstAskMs));
    case 'wallet-empty':
    case 'not-ready':
    case 'too-many':
    case 'otp-required':
    case 'denied':
    case 'signed-out': {
      const again = draftsAgainMs[sentDrafts(after.calls).length - 1];
      const stopsRail = stopsBecause(because);
      return again === undefined
        ? to('stuck', now, { reason: 'attempts-used-up', stopsRail })
        : to('waiting', later(now, again), { stopsRail });
    }
  }
}

/** What the next payment would meet too, and a person can mend. */
const stopsBecause = (because: RailRefusal): RailStopReason | null =>
  because === 'wallet-empty' || because === 'denied' || because === 'otp-required' ? because : null;

function afterConfirm(after: Dispatch, heard: Heard, now: Date): Move {
  const asked = later(now, firstAskMs);
  switch (heard.kind) {
    case 'answered':
      if (heard.status === 'success') return to('paid', now);
      if (heard.status === 'revert') return to('returned', now);
      return to(heard.status === 'error' ? 'asking' : 'unknown', asked);
    case 'refused':
      return to('unknown', asked, { stopsRail: stopsBecause(heard.because) });
    case 'unsent':
      // An earlier one may have arrived: then it is no mere draft.
      return to(confirmsSent(after.calls, after.attempt) > 0 ? 'unknown' : 'drafted', now);
    case 'unknown':
    case 'worker-lost':
      return to('unknown', asked);
  }
}

function afterRead(after: Dispatch, heard: Heard, now: Date): Move {
  if (heard.kind === 'unsent') return to(after.state, now);
  if (heard.kind === 'answered') {
    if (heard.status === 'success') return to('paid', now);
    if (heard.status === 'revert') return to('returned', now);
    if (heard.status === 'error' && isTwice(after)) return to('failed', now, { reason: 'rail-error' });
    if (isAgainDraft(after) && confirmsSent(after.calls, after.attempt) < CONFIRMS_MAX)
      return to(after.state, later(now, ASK_GAP_MS));
  }
  return askAgain(after, now);
}

/** A payment under a reference that was never confirmed is found: whoever paid it did so unasked. */
function afterFind(after: Dispatch, heard: Heard, now: Date): Move {
  if (heard.kind === 'unsent') return to(after.state, now);
  if (heard.kind === 'answered') {
    const paid = paidUnasked(heard.status, now);
    if (paid) return paid;
    // One that waits is looked for before it is let go: what comes of that is asked of the database again.
    if (after.state === 'drafted' || after.state === 'waiting') return to(after.state, now);
    if (!isRefusedForGood(draftOf(after))) {
      if (isTwice(after)) return to('waiting', now);
    } else {
      return inDoubt(after).length > 0
        ? to('asking', now)
        : to('failed', now, { reason: refusedReason(draftOf(after)) });
    }
  }
  if (after.state === 'drafted') return to('drafted', later(now, ASK_GAP_MS));
  return askAgain(after, now);
}

/** Draft in front of confirm is what keeps a payment from being made twice: a rail that pays without it must not go on. */
function paidUnasked(status: PaymentStatus, now: Date): Move | null {
  const stopsRail = 'confirmable-lost';
  switch (status) {
    case 'success':
      return to('paid', now, { stopsRail });
    case 'revert':
      return to('returned', now, { stopsRail });
    case 'progress':
    case 'billing':
      return to('unknown', later(now, firstAskMs), { stopsRail });
    case 'draft':
    case 'error':
    case 'absent':
      return null;
  }
}

/** When the rail is asked next; never again where all times are used up. */
function askAgain(after: Dispatch, now: Date): Move {
  const since = doubtSince(after);
  const first = firstOfStreak(after)?.closedAt;
  const late = asks(after).filter(({ openedAt }) => ms(openedAt) - ms(since) >= LAST_ASK_MS).length;
  const next = asksAfterMs.find((afterMs) => ms(since) + afterMs > ms(now));
  if (first && isSettling(after) && !isTwice(after) && late < LATE_ASKS_MAX) {
    const confirmed = later(first, APART_MS);
    // Whoever does not answer when it is time is asked as rarely as one who never did.
    const isSilent = after.calls.at(-1)?.outcome !== 'answered' && now >= confirmed;
    if (!isSilent || next === undefined) return to(after.state, now < confirmed ? confirmed : now);
  }
  return next === undefined ? to('stuck', now, { reason: 'no-answer' }) : to(after.state, later(since, next));
}

const firstAskMs = Math.min(...asksAfterMs);

const ms = (at: Date): number => at.getTime();
const later = (at: Date, byMs: number): Date => new Date(ms(at) + byMs);

const to = (
  state: DispatchState,
  nextAt: Date,
  { reason = null, confirms = false, stopsRail = null }: Partial<Omit<Move, 'to' | 'nextAt'>> = {},
): Move => ({ to: state, nextAt, reason, confirms, stopsRail });

const move = (...args: Parameters<typeof to>): PayoutStep => ({ kind: 'move', move: to(...args) });

const openCall = (calls: readonly RailCall[]): RailCall | undefined =>
  calls.findLast(({ outcome }) => outcome === null);

const closeLast = (calls: readonly RailCall[], heard: Heard, now: Date): readonly RailCall[] =>
  calls.map((call) =>
    call.outcome === null
      ? {
          ...call,
          closedAt: now,
          outcome: heard.kind,
          status: heard.kind === 'answered' ? heard.status : null,
          because: heard.kind === 'refused' ? heard.because : null,
        }
      : call,
  );

/** Those that the rail may have got. */
const wasSent = ({ outcome }: RailCall): boolean => outcome !== 'unsent';
const drafts = (calls: readonly RailCall[]) => calls.filter(({ what }) => what === 'draft');
const sentDrafts = (calls: readonly RailCall[]) => drafts(calls).filter(wasSent);
/** The first is made again at once. */
const unsentAgainMs = (calls: readonly RailCall[]): number =>
  (drafts(calls).length - sentDrafts(calls).length - 1) * SECOND;
const confirmsSent = (calls: readonly RailCall[], attempt: number): number =>
  calls.filter((call) => call.what === 'confirm' && call.attempt === attempt && wasSent(call)).length;

/** Another card, amount or payee would be needed. */
const isRefusedForGood = (call: RailCall | undefined): boolean =>
  call?.because === 'card' || call?.because === 'fields' || call?.because === 'limit';
/** A draft about which a rail says so has no meaning that we know. */
const isClearlyRefused = ({ outcome, because }: RailCall): boolean =>
  outcome === 'refused' && because !== 'not-found' && because !== 'already-applied';

/** The draft of the newest attempt. */
const draftOf = ({ calls, attempt }: Dispatch): RailCall | undefined =>
  calls.findLast((call) => call.what === 'draft' && call.attempt === attempt);

/** Earlier attempts that may have reached the rail, and were not looked for since the newest draft was answered. */
function inDoubt(dispatch: Dispatch): readonly number[] {
  const { calls, attempt } = dispatch;
  const since = draftOf(dispatch)?.closedAt ?? null;
  const isLookedFor = (earlier: number) =>
    calls.some(
      (call) =>
        call.what === 'find' &&
        call.attempt === earlier &&
        call.outcome === 'answered' &&
        since !== null &&
        call.openedAt >= since,
    );
  return sentDrafts(calls)
    .filter((call) => call.attempt < attempt && !isClearlyRefused(call))
    .map((call) => call.attempt)
    .filter((earlier) => !isLookedFor(earlier));
}

/** By the rail's own id where it has taken, or may have taken, our word to pay it. */
const isReadByUuid = ({ state, calls, attempt, railUuid }: Dispatch): boolean =>
  railUuid !== null && (state === 'unknown' || confirmsSent(calls, attempt) > 0);

/** The call whose fate is asked: the last one that could have paid. */
const doubted = ({ calls }: Dispatch): RailCall | undefined =>
  calls.findLast((call) => (call.what === 'confirm' || call.what === 'draft') && wasSent(call));
const doubtSince = (dispatch: Dispatch): Date => doubted(dispatch)?.closedAt ?? dispatch.nextAt;

/** What was asked since then. */
function asks(dispatch: Dispatch): readonly RailCall[] {
  const { calls } = dispatch;
  const call = doubted(dispatch);
  const from = call === undefined ? 0 : calls.indexOf(call) + 1;
  return calls.slice(from).filter(({ what, closedAt }) => what === 'read' || (what === 'find' && closedAt));
}

/** In front of a confirm a draft, an error and no payment at all say alike: nothing was paid. */
function meaningOf(dispatch: Dispatch, { status }: RailCall): string | null {
  if (isReadByUuid(dispatch)) return status;
  return status === 'draft' || status === 'error' || status === 'absent' ? 'none' : status;
}

/** Answers of the newest kind, in a row; what was not answered says nothing. */
function streak(dispatch: Dispatch): readonly RailCall[] {
  const answered = asks(dispatch).filter(({ outcome }) => outcome === 'answered');
  const last = answered.at(-1);
  if (!last) return [];
  const meaning = meaningOf(dispatch, last);
  const from = answered.findLastIndex((call) => meaningOf(dispatch, call) !== meaning);
  return answered.slice(from + 1);
}
const firstOfStreak = (dispatch: Dispatch): RailCall | undefined => streak(dispatch)[0];

/** What was heard last settles it, once it is heard twice. */
function isSettling(dispatch: Dispatch): boolean {
  const last = streak(dispatch).at(-1);
  if (!last) return false;
  const meaning = meaningOf(dispatch, last);
  return meaning === 'error' || meaning === 'none' || (meaning === 'draft' && mayConfirmAgain(dispatch));
}
const mayConfirmAgain = ({ calls, attempt }: Dispatch): boolean => {
  const sent = confirmsSent(calls, attempt);
  return sent > 0 && sent < CONFIRMS_MAX;
};

/** So far apart that it is no race of the rail's own. */
function isTwice(dispatch: Dispatch): boolean {
  const alike = streak(dispatch);
  const [first, last] = [alike[0], alike.at(-1)];
  return Boolean(first?.closedAt && last && ms(last.openedAt) - ms(first.closedAt) >= APART_MS);
}

/** The rail still has a draft: our word to pay it did not arrive. */
function isAgainDraft(dispatch: Dispatch): boolean {
  const last = streak(dispatch).at(-1);
  return last?.status === 'draft' && isReadByUuid(dispatch) && mayConfirmAgain(dispatch) && isTwice(dispatch);
}

const refusals = {
  card: 'rail-refused-card',
  fields: 'rail-refused-fields',
  limit: 'rail-refused-limit',
} as const satisfies Record<string, DispatchReason>;

function refusedReason(call: RailCall | undefined): DispatchReason {
  const because = call?.because;
  return because === 'card' || because === 'fields' || because === 'limit' ? refusals[because] : 'rail-error';
}
