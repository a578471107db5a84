import type { DestinationId, PayoutId, RailId } from '../ids.ts';

/** For housekeeping: any number of processes at once. */
export interface PayoutsDue {
  /** Answers of devices that their own commit could not act on. How many it acted on. */
  confirm(limit: number): Promise<number>;
  /** Those that nobody confirmed, or bound a card for, in time; their money is given back. At most 1 000. */
  expire(limit: number): Promise<readonly PayoutId[]>;
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

/** `Tx` is the transaction that it is part of. */
export interface Destinations<Tx> {
  /**
   * The same card of the same payee is the destination that there is.
   *
   * @throws MoneyRefusedError: `too-many-destinations` of a person; `destination-gone` where it gave money back. Of a phone the oldest makes room.
   */
  add(tx: Tx, destination: NewDestination): Promise<DestinationId>;
}
