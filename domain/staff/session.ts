import type { Page, PageOrder } from '../shared/page.ts';
import type { Audits } from './audit.ts';
import type { StaffMember } from './port.ts';

/** One working day: long enough that nobody is thrown out at work, short enough that a lost laptop is harmless tomorrow. */
export const SESSION_HOURS = 12;
/** A pending session waits for its second factor: long enough to install an authenticator app. */
export const PENDING_SESSION_MINUTES = 10;

/**
 * How a session is shown: the board's pages by a cookie, programs by `Authorization: Bearer`. A session is opened for one of them, and
 * the other never opens it: what a page cannot read is no use in a header, and a program's token none in a browser.
 */
export const sessionVias = ['cookie', 'bearer'] as const;
export type SessionVia = (typeof sessionVias)[number];

/** Who calls a route of the staff's door, with the role of now. */
export interface StaffCaller extends StaffMember {
  readonly via: SessionVia;
}

/** Whose session a request carries, and the token by which it did. */
export interface ShownSession {
  readonly id: string;
  readonly token: string;
  readonly staff: StaffCaller;
}

/** The token is shown this once: only its SHA-256 is kept. */
export interface OpenedSession {
  readonly token: string;
  readonly expiresAt: Date;
}

/** Whose session a token opens now. */
export interface FoundSession {
  readonly id: string;
  readonly staff: StaffMember;
}

export type SessionExtent = 'pending-2fa' | 'full';

export interface StaffSessionView {
  readonly id: string;
  readonly via: SessionVia;
  readonly extent: SessionExtent;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/**
 * A session is *pending* after the password and *full* after the second factor (`second-factor.ts`), which gives it another
 * token: whoever knew the pending one's holds nothing.
 */
export interface StaffSessions {
  /** A pending session. Removes sessions that have ended meanwhile. */
  open(staffId: string, via: SessionVia, now: Date): Promise<OpenedSession>;
  /** Who holds this full session now, with the role of now; null once it has ended or the account is disabled. */
  find(token: string, via: SessionVia, now: Date): Promise<FoundSession | null>;
  /** The same of a pending session. They are two questions, so that no page opens to a pending one by forgetting to look. */
  findPending(token: string, via: SessionVia, now: Date): Promise<FoundSession | null>;
  close(token: string, audits: Audits<void>): Promise<void>;
  /** Those of one member of staff that have not ended, pending ones too: one that is not theirs shows that their password is known. */
  list(staffId: string, order: PageOrder, now: Date): Promise<Page<StaffSessionView>>;
  /** False where they have no such session. */
  closeById(staffId: string, id: string, audits: Audits<boolean>): Promise<boolean>;
}
