import { type Decision, refused } from '../job/decision.ts';

/**
 * Limits of what is asked for with a publishable key, which anybody may have. They count apart from what the project's own
 * services ask for, so that strangers use up nothing of a service's limits.
 */

/** Approvals have a purpose of their own: a code never resends what began as a push, and neither ends the other. */
export const APPROVAL_PURPOSE = 'navbat.approval';

/** To one number of one project in an hour: a person who mistypes and asks again needs three. */
export const STRANGER_SENDS_PER_HOUR = 5;
/**
 * How many of these anybody gets. The rest is for addresses in good standing: under an attack the owner, who calls from
 * elsewhere, still gets a code at their first try.
 */
export const STRANGER_SENDS_OPEN = 3;
/** 20 codes of 5 checks are 100 guesses of 10^6 a day: as many as NIST SP 800-63B-4 §3.2.2 allows in a row. */
export const STRANGER_SENDS_PER_DAY = 20;
/**
 * Codes of one address that nobody confirmed, in an hour, beyond as many as were confirmed: a household mistypes a few, a
 * carrier's gateway confirms most of its many, and whoever pumps messages confirms none.
 */
export const UNCONFIRMED_PER_ADDRESS = 5;
/** An address from which this number's code was right within so long is not a stranger's to it. */
export const KNOWN_ADDRESS_SECONDS = 30 * 86_400;

/** What was asked for this number by one address, of codes or of approvals. */
export interface StrangerAsks {
  readonly from: string;
  /** Sends in the last hour, and in the last day. */
  readonly hour: number;
  readonly day: number;
  /** A code of this number was right from there. */
  readonly known: boolean;
}

/** Codes of one address in the last hour. */
export interface AddressStanding {
  /** Sends of verifications that were not approved. */
  readonly unconfirmed: number;
  /** Verifications that were. */
  readonly confirmed: number;
}

export interface StrangerFacts {
  readonly from: string;
  /** Of the same number and sort, whoever asked. */
  readonly asks: readonly StrangerAsks[];
  /** Null for an approval, which nobody needs to confirm and which costs nothing: it is counted by its own address alone. */
  readonly address: AddressStanding | null;
}

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;

/** The number's code was right from there not long ago: it is its owner who asks, and nobody who pumps messages. */
export const isKnownAddress = ({ from, asks }: Pick<StrangerFacts, 'from' | 'asks'>): boolean =>
  asks.some((one) => one.from === from && one.known);

/** It confirmed as many codes as it left open, or asks for the first time. */
export const inGoodStanding = (address: AddressStanding | null): boolean =>
  !address || address.unconfirmed <= address.confirmed;

/** Null where this stranger may be sent one more. Addresses that the number's owner uses are counted apart from all others. */
export function strangerRefusal({
  from,
  asks,
  address,
}: StrangerFacts): Decision<never, 'codes-unconfirmed' | 'publishable-limit'> | null {
  if (address && address.unconfirmed >= UNCONFIRMED_PER_ADDRESS + address.confirmed)
    return refused('codes-unconfirmed', HOUR_SECONDS);
  const isKnown = isKnownAddress({ from, asks });
  // How often a phone rings is bounded for its person (`approval/push-limits.ts`): a count of the number would only let one address
  // keep its owner from asking at another.
  const alike = address
    ? asks.filter((one) => one.known === isKnown)
    : asks.filter((one) => one.from === from);
  const hour = alike.reduce((sum, one) => sum + one.hour, 0);
  const day = alike.reduce((sum, one) => sum + one.day, 0);
  if (day >= STRANGER_SENDS_PER_DAY) return refused('publishable-limit', DAY_SECONDS);
  return hour >= (isKnown || inGoodStanding(address) ? STRANGER_SENDS_PER_HOUR : STRANGER_SENDS_OPEN)
    ? refused('publishable-limit', HOUR_SECONDS)
    : null;
}
