import type { SessionId } from '../ids.ts';
import type { Page, PageOrder } from '../../shared/page.ts';
import type { Assessment, Verdict } from '../traffic/counterpart.ts';
import type { AddressClass, AddressEvidence } from './class.ts';

/** What the configured files say. */
export interface AddressData {
  /** @param address in any spelling; one that nobody can read is known to nobody. */
  readonly evidenceOf: (address: string) => AddressEvidence;
}

interface Seen {
  readonly sessionId: SessionId;
  readonly personId: string;
  /** Where the request came from. */
  readonly address: string;
  readonly now: Date;
}

/** Which addresses sessions come from. The strictest of one session counts for all of it. */
export interface SessionAddresses {
  /** Committed once it answers. Null where the person has no such session. */
  readonly seen: (seen: Seen) => Promise<Assessment | null>;
  /**
   * Once there is newer data: assesses anew what waits for a person because the data was old, of sessions whose days are open. Answers how many
   * addresses it looked at.
   */
  readonly reassess: (now: Date) => Promise<number>;
  /** Where the address is, in ISO 3166-1 alpha-2, as the files say; null where none does. */
  readonly countryOf: (address: string) => string | null;
}

/** A change of what becomes of a session because of an address. */
export interface FilterAudit {
  readonly id: string;
  readonly sessionId: SessionId;
  readonly personId: string;
  /** Null once it is no longer kept. */
  readonly address: string | null;
  readonly class: AddressClass;
  readonly verdict: Verdict;
  readonly reason: string | null;
  /** What was known of the address; null once it is no longer kept. */
  readonly evidence: unknown;
  /** When the oldest of the files was made that were asked; null where there were none. */
  readonly dataAt: Date | null;
  readonly at: Date;
}

export interface FilterAudits {
  /** Newest first. */
  readonly list: (of: SessionId | null, order: PageOrder) => Promise<Page<FilterAudit>>;
}
