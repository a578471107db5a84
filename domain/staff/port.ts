import type { StaffRole } from './role.ts';

export { may, type StaffAction } from './role-actions.ts';

export interface StaffMember {
  readonly id: string;
  /** Lower case. */
  readonly email: string;
  readonly role: StaffRole;
}

export interface StaffListing extends StaffMember {
  readonly createdAt: Date;
  readonly lockedUntil: Date | null;
  /** When the second factor was set up; null where the next login does it. */
  readonly secondFactorAt: Date | null;
  readonly disabledAt: Date | null;
}

/**
 * How a login ended. The reason is for the audit row: a page that told *locked* from *wrong* would say which emails
 * have an account.
 */
export type Login =
  | { readonly kind: 'accepted'; readonly staff: StaffMember }
  | { readonly kind: 'refused'; readonly reason: 'wrong' | 'locked' | 'disabled' };

export type StaffCreated =
  | { readonly created: true; readonly staff: StaffMember }
  | { readonly created: false; readonly reason: 'email-taken' };

/** The one staff table, for the board and for all that comes later. */
export interface StaffAccounts {
  createStaff(
    account: { email: string; role: StaffRole; password: string },
    now: Date,
  ): Promise<StaffCreated>;
  /**
   * Takes as long for an email that nobody has. Five wrong passwords and second factors lock the account for a quarter
   * of an hour; the right password forgives none of them. A browser in which the account logged in before (`browser`, its
   * cookie) is counted and locked by itself.
   */
  verifyPassword(email: string, password: string, now: Date, browser?: string | null): Promise<Login>;
  list(): Promise<StaffListing[]>;
  /** Ends the account's sessions too. False where nobody has that email. */
  disable(email: string, now: Date): Promise<boolean>;
  /**
   * For who lost the authenticator and the codes: the next login sets it up. Ends the sessions and removes the passkeys; false as
   * above.
   */
  resetSecondFactor(email: string): Promise<boolean>;
  /** Forgets all wrong passwords and second factors; false as above. */
  unlock(email: string): Promise<boolean>;
}
