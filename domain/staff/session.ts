import type { StaffMember } from './port.ts';

/** One working day: long enough that nobody is thrown out at work, short enough that a lost laptop is harmless tomorrow. */
export const SESSION_HOURS = 12;

export interface StaffSessions {
  /** The token is for the cookie alone: only its SHA-256 is kept. Removes sessions that have ended meanwhile. */
  open(staffId: string, now: Date): Promise<{ readonly token: string; readonly expiresAt: Date }>;
  /** Who holds this token now, with the role of now; null once it has ended or the account is disabled. */
  find(token: string, now: Date): Promise<StaffMember | null>;
  close(token: string): Promise<void>;
}
