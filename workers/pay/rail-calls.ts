import { CALL_BEGINS_MS } from '../../domain/pay/dispatch/decide.ts';
import type { Heard } from '../../domain/pay/dispatch/dispatch.ts';
import { RAIL_TIMEOUT_MS } from '../../domain/pay/dispatch/job.ts';
import type { KeptAnswer, NumberedCall, OpenDispatch } from '../../domain/pay/dispatch/port.ts';
import type {
  CardRail,
  Draft,
  MayBegin,
  RailPayment,
  RailReply,
  RailToken,
} from '../../domain/pay/rail/port.ts';
import { withinTime } from '../engine/time-limit.ts';
import type { Places } from './places.ts';

/** A call that is committed and not yet made. */
export interface CommittedCall {
  readonly dispatch: OpenDispatch;
  readonly call: NumberedCall;
  readonly reference: string;
  readonly token: RailToken | null;
  /** By `performance.now()`, in front of its commit: no clock of another machine says when it is too late. */
  readonly committingAtMs: number;
}

/** What came of a call, and what is kept of its answer. */
export interface Ended {
  readonly heard: Heard;
  readonly kept: KeptAnswer;
  /** Where the answer shows a payment. */
  readonly railUuid: string | null;
  readonly commission: bigint | null;
}

/** Makes the call where it is not too late, in a place of its own. Never throws: a bug of a client's is no proof that nothing was sent. */
export async function makeCall(
  rail: CardRail,
  { enter }: Pick<Places, 'enter'>,
  committed: CommittedCall,
  signal: AbortSignal,
  onBug: (error: unknown) => void,
): Promise<Ended> {
  const leave = await enter(committed.call.what !== 'draft');
  let isTooLate = false;
  // The last look before the socket: whoever stood still for longer may find the rail stopped, or another at work.
  const mayBegin = () => {
    isTooLate = performance.now() - committed.committingAtMs > CALL_BEGINS_MS || signal.aborted;
    return !isTooLate;
  };
  try {
    if (!mayBegin()) return UNSENT;
    const ended = await withinTime(signal, RAIL_TIMEOUT_MS, (limited) =>
      ask(rail, committed, limited, mayBegin),
    );
    // Its client waited for a sign-in, and then asked once more.
    return isTooLate && ended.heard.kind === 'refused' ? UNSENT : ended;
  } catch (error) {
    onBug(error);
    return { ...UNSENT, heard: { kind: 'unknown' }, kept: { why: 'bug' } };
  } finally {
    leave();
  }
}

const UNSENT: Ended = { heard: { kind: 'unsent' }, kept: {}, railUuid: null, commission: null };

async function ask(
  rail: CardRail,
  { dispatch, call, reference, token }: CommittedCall,
  signal: AbortSignal,
  mayBegin: MayBegin,
): Promise<Ended> {
  const { amount } = dispatch;
  const uuid = dispatch.railUuid ?? '';
  switch (call.what) {
    case 'draft':
      if (token === null) return UNSENT;
      return ofDraft(await rail.draft({ reference, token, amount }, signal, mayBegin), amount);
    case 'confirm':
      return ofPayment(await rail.confirm(uuid, signal, mayBegin), amount);
    case 'read':
      return ofPayment(await rail.read(uuid, signal), amount);
    case 'find':
      return ofPayment(await rail.find(reference, draftedAt(dispatch, call), signal), amount);
  }
}

/** When the draft was sent that a find looks for. */
const draftedAt = ({ calls }: OpenDispatch, find: NumberedCall): Date =>
  calls.find(({ what, attempt }) => what === 'draft' && attempt === find.attempt)?.openedAt ?? find.openedAt;

function ofDraft(reply: RailReply<Draft>, amount: bigint): Ended {
  if (reply.kind !== 'answered') return withoutAnswer(reply);
  const { uuid, status, commission, total } = reply.value;
  return {
    heard: { kind: 'answered', status, amountDiffers: total !== amount + commission },
    kept: { uuid, status, commission: commission.toString(), total: total.toString() },
    railUuid: uuid,
    commission,
  };
}

/** An answer with another amount is about no payment of ours, whatever it says. */
function ofPayment(reply: RailReply<RailPayment | null>, amount: bigint): Ended {
  if (reply.kind !== 'answered') return withoutAnswer(reply);
  const payment = reply.value;
  if (payment === null)
    return { heard: { kind: 'answered', status: 'absent' }, kept: {}, railUuid: null, commission: null };
  const { uuid, status, commission } = payment;
  const kept: KeptAnswer = {
    uuid,
    status,
    amount: payment.amount.toString(),
    commission: commission.toString(),
    total: payment.total.toString(),
    paid_at: payment.paidAt?.toISOString() ?? null,
  };
  return payment.amount === amount
    ? { heard: { kind: 'answered', status }, kept, railUuid: uuid, commission }
    : { heard: { kind: 'unknown' }, kept: { ...kept, why: 'amount' }, railUuid: null, commission: null };
}

function withoutAnswer(reply: Exclude<RailReply<never>, { kind: 'answered' }>): Ended {
  return reply.kind === 'refused'
    ? {
        heard: { kind: 'refused', because: reply.because },
        kept: { code: reply.code },
        railUuid: null,
        commission: null,
      }
    : { heard: { kind: 'unknown' }, kept: { why: reply.why }, railUuid: null, commission: null };
}
