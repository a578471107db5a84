import type { Locale } from '../../shared/locale.ts';
import type { StaffMember } from '../../staff/port.ts';
import type { Page, PageOrder } from '../../shared/page.ts';

/** Characters of a name: what a list of people shows on one line. */
export const NAME_MAX = 80;
/** Installations that a profile shows, the one used last first: three may share within thirty days. */
export const SHOWN_INSTALLATIONS_MAX = 10;

/** Somebody who shares their traffic, and whose money is in the book. */
export interface Earner {
  /** Of the person, by which accounts of the ledger know them. */
  readonly personId: string;
  /** What they want to be called; null where they never said. */
  readonly name: string | null;
  /** E.164; null where they never proved one. */
  readonly phone: string | null;
  readonly telegramId: string | null;
  /** Null where they never chose one. */
  readonly locale: Locale | null;
  /** When they first signed in. */
  readonly createdAt: Date;
  readonly openSessions: number;
  /** When the newest session began; null where there was none. */
  readonly lastSessionAt: Date | null;
  /** Since when staff have blocked them; null where nobody has. */
  readonly blockedAt: Date | null;
}

export interface Installation {
  readonly id: string;
  /** Sessions of the last thirty days. */
  readonly sessions: number;
  readonly lastSessionAt: Date;
}

/** A time in which nothing is paid to them. It is kept: it says who did what, and why. */
export interface Block {
  readonly id: string;
  /** `by-staff`, or what happened, such as `phone-lost`. */
  readonly reason: string;
  /** E-mail of who made it; null: what happened did. */
  readonly by: string | null;
  readonly because: string | null;
  readonly madeAt: Date;
  /** When it ends by itself; null where it does not. */
  readonly until: Date | null;
  readonly liftedAt: Date | null;
  /** E-mail. */
  readonly liftedBy: string | null;
  readonly liftedBecause: string | null;
}

export interface EarnerSearch {
  readonly telegramId?: string | undefined;
  /** E.164. */
  readonly phone?: string | undefined;
  /** How the name begins. */
  readonly name?: string | undefined;
}

export interface Earners {
  readonly find: (personId: string) => Promise<Earner | null>;
  /** All that is named has to fit. Who signed in last is first. */
  readonly list: (search: EarnerSearch, order: PageOrder) => Promise<Page<Earner>>;
  /** @param name null takes it away. */
  readonly rename: (personId: string, name: string | null, now: Date) => Promise<void>;
  readonly installations: (personId: string, now: Date) => Promise<readonly Installation[]>;
  /** Newest first, the last ones. */
  readonly blocks: (personId: string) => Promise<readonly Block[]>;
}

export type BlockRefusal =
  | 'unknown-person'
  | 'already-blocked'
  | 'not-blocked'
  /** The person has the phone of the member of staff who asks. */
  | 'own-person';

export type Blocked = { readonly ok: true } | { readonly ok: false; readonly reason: BlockRefusal };

export interface EarnerBlocks {
  /** Starts and withdrawals are refused from then on, and open sessions end. */
  readonly block: (personId: string, by: StaffMember, why: string) => Promise<Blocked>;
  readonly unblock: (personId: string, by: StaffMember, why: string) => Promise<Blocked>;
}
