import type { VerificationId } from '../../shared/ids.ts';
import type { Page, PageOrder } from '../../shared/page.ts';
import type { DestinationId, PayoutId, PayoutListId, RailId } from '../ids.ts';
import type { PayoutSource, PayoutState } from './payout.ts';

/** Amounts are tiyin: `gross` leaves the account, `fee` is ours, what is left is paid. */
interface Amounts {
  readonly gross: bigint;
  readonly fee: bigint;
}

/** A person's own, out of their balance. */
export interface WithdrawalRequest extends Amounts {
  readonly kind: 'withdrawal';
  readonly personId: string;
  readonly destinationId: DestinationId;
  readonly rail: RailId;
}

/** A customer's, out of what the project `funder` has paid in. The payee is a person, or known by their phone. */
export interface ApiPayoutRequest extends Amounts {
  readonly kind: 'api';
  readonly funder: string;
  readonly personId: string | null;
  readonly phone: string | null;
  readonly payeeName: string | null;
  readonly purpose: string | null;
  /** The customer's own, once for ever: the same request under it is answered with the same payout. */
  readonly reference: string;
  /** Null: the payee gets a link, and binds a card. */
  readonly destinationId: DestinationId | null;
  readonly rail: RailId;
  readonly keyId: string;
}

export interface AskedPayout {
  readonly id: PayoutId;
  readonly state: PayoutState;
  readonly version: number;
  /** It was asked for before, by the same reference. */
  readonly repeated: boolean;
}

export interface PayoutView {
  readonly id: PayoutId;
  readonly source: PayoutSource;
  readonly funder: string | null;
  readonly personId: string | null;
  readonly phone: string | null;
  readonly payeeName: string | null;
  readonly purpose: string | null;
  readonly reference: string | null;
  readonly listId: PayoutListId | null;
  readonly listLine: number | null;
  readonly destinationId: DestinationId | null;
  /** Of its card or account. */
  readonly last4: string | null;
  readonly rail: RailId;
  /** In tiyin. */
  readonly gross: bigint;
  readonly fee: bigint;
  readonly net: bigint;
  readonly state: PayoutState;
  readonly reason: string | null;
  readonly version: number;
  readonly verificationId: VerificationId | null;
  /** 0 to 100. */
  readonly nameScore: number | null;
  readonly createdAt: Date;
  readonly stateAt: Date;
  readonly expiresAt: Date | null;
}

/**
 * What moves a payout. `Tx` is the transaction that it is part of, such as that of an Idempotency-Key.
 *
 * @throws MoneyRefusedError where it is refused; the transaction then keeps nothing of it.
 */
export interface Payouts<Tx> {
  /** The row and its hold. `confirming`: the person's device is to be asked, and `challenged` told which challenge does. */
  ask(tx: Tx, request: WithdrawalRequest | ApiPayoutRequest): Promise<AskedPayout>;
  /** Answers the state: where the device was faster, its answer decides at once. */
  challenged(tx: Tx, payoutId: PayoutId, verificationId: VerificationId): Promise<PayoutState>;
  /** `personId`: only a withdrawal of theirs. `actor`: 'person', 'staff:ID', 'key:ID'. */
  cancel(
    tx: Tx,
    cancelled: {
      readonly payoutId: PayoutId;
      readonly personId: string | null;
      readonly reason: string;
      readonly actor: string;
    },
  ): Promise<PayoutState>;
  /** The payee of a link has bound a card. `nameScore`: 0 to 100; null where no name was given. */
  bind(
    tx: Tx,
    bound: {
      readonly payoutId: PayoutId;
      readonly destinationId: DestinationId;
      readonly nameScore: number | null;
    },
  ): Promise<PayoutState>;
}

/** For housekeeping: any number of processes at once. */
export interface PayoutsDue {
  /** Answers of devices that their own commit could not act on. How many it acted on. */
  confirm(limit: number): Promise<number>;
  /** Those that nobody confirmed, or bound a card for, in time; their money is given back. At most 1 000. */
  expire(limit: number): Promise<readonly PayoutId[]>;
}

export interface PayoutReads {
  find(id: PayoutId): Promise<PayoutView | null>;
  /** A person's withdrawals, newest first. */
  ofPerson(personId: string, order: PageOrder): Promise<Page<PayoutView>>;
  /** What a project pays, newest first. */
  ofFunder(funder: string, order: PageOrder): Promise<Page<PayoutView>>;
}

interface NewDestination {
  readonly payee: { readonly personId: string } | { readonly phone: string };
  readonly rail: RailId;
  /** The rail's own, or the number of an account: kept encrypted. */
  readonly token: string;
  readonly last4: string;
  readonly holderName: string | null;
  readonly phoneMatches: boolean | null;
  readonly pinfl: string | null;
}

export interface DestinationView {
  readonly id: DestinationId;
  readonly rail: RailId;
  readonly last4: string;
  readonly holderName: string | null;
  readonly usableFrom: Date;
  readonly distrusted: boolean;
}

export interface Destinations<Tx> {
  /**
   * The same card of the same payee is the destination that there is.
   *
   * @throws MoneyRefusedError: `too-many-destinations`; `destination-gone` where it gave money back.
   */
  add(tx: Tx, destination: NewDestination): Promise<DestinationId>;
  /** @throws MoneyRefusedError `unknown` where it is not theirs. */
  remove(tx: Tx, id: DestinationId, personId: string): Promise<void>;
  /** Those in use, oldest first. */
  of(payee: NewDestination['payee']): Promise<readonly DestinationView[]>;
  /**
   * What the rail is told. `tokenHash` is what the line of the batch has frozen.
   *
   * @throws where the token is another than was approved.
   */
  tokenOf(id: DestinationId, tokenHash: Buffer): Promise<string>;
}
