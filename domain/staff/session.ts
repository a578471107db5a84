import type { StaffMember } from './port.ts';

/** One working day: long enough that nobody is thrown out at work, short enough that a lost laptop is harmless tomorrow. */
export const SESSION_HOURS = 12;
/** A pending session waits for its second factor: long enough to install an authenticator app. */
export const PENDING_SESSION_MINUTES = 10;

/** The token is for the cookie alone: only its SHA-256 is kept. */
export interface OpenedSession {
  readonly token: string;
  readonly expiresAt: Date;
}

/**
 * A session is *half* after the password and *whole* after the second factor (`second-factor.ts`), which gives it another
 * token: whoever knew the pending one's holds nothing.
 */
export interface StaffSessions {
  /** A pending session. Removes sessions that have ended meanwhile. */
  open(staffId: string, now: Date): Promise<OpenedSession>;
  /** Who holds this full session now, with the role of now; null once it has ended or the account is disabled. */
  find(token: string, now: Date): Promise<StaffMember | null>;
  /** The same of a pending session. They are two questions, so that no page opens to a pending one by forgetting to look. */
  findPending(token: string, now: Date): Promise<StaffMember | null>;
  close(token: string): Promise<void>;
}
