import { ofVerifications } from './verify/verification-sql.ts';

/** Without the product that has verifications there is none. */
const none = {
  /** Somebody still waits for the answer to this row of challenge. */
  isAwaited: (_challenge: string): string => 'false',
  /** Who asked for this row of challenge, `service` or `stranger`; null where it is not known any more. */
  askedBy: (_challenge: string): string => 'null',
  /** The verification of this id ended with a yes. */
  isApproved: (_id: string): string => 'false',
};

/** SQL of what identity asks about verifications. */
export const verificationSql = {
  ...none,
  ...ofVerifications,
};
