import type { RailRefusal, RailStatus } from '../rail/port.ts';

/** One payment order to a rail: what the database keeps of it, and what its next step depends on. */

export const dispatchStates = [
  'waiting',
  'drafting',
  'drafted',
  'confirming',
  'unknown',
  'asking',
  'stuck',
  'paid',
  'failed',
  'returned',
  'dropped',
  /** Of a bank file: its bytes are made, and its statement tells of each line. */
  'exported',
] as const;
export type DispatchState = (typeof dispatchStates)[number];

export const callKinds = ['draft', 'confirm', 'read', 'find'] as const;
export type CallKind = (typeof callKinds)[number];

/** What a rail says of a payment. `absent`: it has none under our reference. */
export type PaymentStatus = RailStatus | 'absent';

/**
 * How a call ended. `unsent`: its worker found it too late and never began it, for certain. `worker-lost`: it stayed open, and nobody
 * knows whether it began.
 */
export type CallOutcome = 'answered' | 'refused' | 'unknown' | 'unsent' | 'worker-lost';

export interface RailCall {
  readonly what: CallKind;
  /** The attempt that it makes, or asks about. */
  readonly attempt: number;
  readonly openedAt: Date;
  /** This and what follows are null while it is open. */
  readonly closedAt: Date | null;
  readonly outcome: CallOutcome | null;
  /** Of an answered call. */
  readonly status: PaymentStatus | null;
  /** Of a refused call. */
  readonly because: RailRefusal | null;
}

export interface Dispatch {
  readonly state: DispatchState;
  /** Drafts made so far; the rail knows each by its own reference. */
  readonly attempt: number;
  /** By which the rail names the payment of the newest attempt that it has told us of. */
  readonly railUuid: string | null;
  /** Nothing is due before. */
  readonly nextAt: Date;
  /** In the order that they were opened. At most the last one is open. */
  readonly calls: readonly RailCall[];
}

/** What came of a call. */
export type Heard =
  | { readonly kind: 'answered'; readonly status: PaymentStatus; readonly amountDiffers?: boolean }
  | { readonly kind: 'refused'; readonly because: RailRefusal }
  | { readonly kind: 'unknown' | 'unsent' | 'worker-lost' };

/** Where a dispatch goes, decided by what was heard, or by time. */
export interface Move {
  readonly to: DispatchState;
  readonly nextAt: Date;
  readonly reason: DispatchReason | null;
  /** Goes on to the confirming in the same commit, where the rail is still open. */
  readonly confirms: boolean;
  /** The rail stops itself. */
  readonly stopsRail: RailStopReason | null;
}

/** Why a dispatch ended, or waits for people. */
export type DispatchReason =
  | 'rail-refused-card'
  | 'rail-refused-fields'
  | 'rail-refused-limit'
  | 'rail-error'
  | 'rail-amount-differs'
  | 'no-answer'
  | 'attempts-used-up'
  | UnpayableReason;

/** Why a payment is not to be begun at all: it fails, and gives its money back. */
export const unpayableReasons = [
  'payout-changed',
  'destination-gone',
  'destination-distrusted',
  'destination-changed',
  'destination-new',
  'blocked',
] as const;
export type UnpayableReason = (typeof unpayableReasons)[number];

/** Why a rail stops without a person. */
export type RailStopReason = 'confirmable-lost' | 'wallet-empty' | 'denied' | 'otp-required';
