import type { Page, PageOrder } from '../../shared/page.ts';
import type { DestinationId, PayoutId, RailId } from '../ids.ts';
import type { AnsweredRequest, MoneyAnswer, MoneyRequest } from '../money-request.ts';
import type { MoneyRefusal } from '../refusals.ts';
import type { PayoutState } from './payout.ts';

/** A person's own money, as they see it and take it. Amounts are tiyin. */
export interface Withdrawal {
  readonly id: PayoutId;
  /** `review`: it waits, and nothing is paid to its person for now. */
  readonly state: PayoutState | 'review';
  readonly reason: string | null;
  readonly gross: bigint;
  readonly fee: bigint;
  readonly net: bigint;
  readonly destination: { readonly id: DestinationId; readonly rail: RailId; readonly last4: string };
  readonly createdAt: Date;
  readonly stateAt: Date;
}

export type Asked = Pick<Withdrawal, 'id' | 'state' | 'gross' | 'fee' | 'net'>;

/** What a device is to be asked of a withdrawal. */
export interface Confirming {
  readonly gross: bigint;
  readonly last4: string;
  readonly rail: RailId;
}

export interface Balance {
  /** What can be withdrawn, and what is set aside for withdrawals under way. */
  readonly available: bigint;
  readonly held: bigint;
  /** What the person owes; positive. */
  readonly receivable: bigint;
}

/** Summed anew from the transfers. */
export interface RecomputedBalance extends Balance {
  /** The balances that are kept are the same; where they are not, finance has an alarm. */
  readonly isVerified: boolean;
}

export interface Destination {
  readonly id: DestinationId;
  readonly rail: RailId;
  readonly last4: string;
  readonly usableFrom: Date;
  readonly madeAt: Date;
  /** A payment to it came back, and nothing is paid to it any more. */
  readonly distrusted: boolean;
}

/** How an answer that is kept is made. */
export interface KeptAs<View> {
  readonly accepted: (view: View) => MoneyAnswer;
  readonly refused: (refusal: MoneyRefusal) => MoneyAnswer;
}

export interface Withdrawals {
  readonly ask: (
    request: MoneyRequest,
    of: { readonly amount: bigint; readonly fee: bigint; readonly destinationId: DestinationId },
    as: KeptAs<Asked>,
  ) => Promise<AnsweredRequest>;
  /** Gives the money back, before it stands in a batch. */
  readonly cancel: (
    request: MoneyRequest,
    id: PayoutId,
    as: KeptAs<{ readonly id: PayoutId; readonly state: PayoutState }>,
  ) => Promise<AnsweredRequest>;
  /** Newest first. */
  readonly list: (personId: string, order: PageOrder) => Promise<Page<Withdrawal>>;
  /** Null where no device is to be asked any more. */
  readonly confirming: (id: PayoutId) => Promise<Confirming | null>;
  /** The challenge that asks the device. Refused where the withdrawal was cancelled, or expired, while the device was asked; else null. */
  readonly challenged: (id: PayoutId, verificationId: string) => Promise<MoneyRefusal | null>;
  readonly balance: (personId: string) => Promise<Balance>;
  readonly recompute: (personId: string) => Promise<RecomputedBalance>;
  /** Whether this is the Telegram account of the person. */
  readonly isTheirs: (personId: string, telegramId: string) => Promise<boolean>;
  readonly destinations: (personId: string) => Promise<readonly Destination[]>;
  /** False where the person has none of this id. */
  readonly removeDestination: (personId: string, id: DestinationId) => Promise<boolean>;
}
