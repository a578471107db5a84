import { z } from 'zod';
import type { JobId, ProjectId } from '../shared/ids.ts';
import type { KeyMode } from '../project/key.ts';
import type { Channel } from './channel.ts';
import type { VerificationId } from '../shared/ids.ts';
import type { Payment } from '../shared/payment.ts';
import type { Locale } from '../shared/locale.ts';

/** live → approved, denied (by the person, on their device), cancelled, expired, or max-checks-reached (its checks are used up). */
const verificationStates = [
  'live',
  'approved',
  'denied',
  'cancelled',
  'expired',
  'max-checks-reached',
] as const;
export const VerificationState = z.enum(verificationStates);
export type VerificationState = z.infer<typeof VerificationState>;

/** Why a verification takes no more checks. */
export type ClosedReason = 'used' | 'denied' | 'cancelled' | 'expired' | 'max-checks-reached';

/** One code for one recipient and one purpose. The code itself is derived when it is needed and stands nowhere. */
export interface Verification {
  readonly id: VerificationId;
  readonly projectId: ProjectId;
  readonly purpose: string;
  readonly mode: KeyMode;
  readonly state: VerificationState;
  /** The root key its code derives from. */
  readonly codeKid: string;
  /** Counter of the HOTP; a resend that rotates the code raises it. */
  readonly codeGeneration: number;
  readonly codeLength: number;
  readonly checksUsed: number;
  readonly checksMax: number;
  readonly channels: readonly Channel[];
  readonly locale: Locale;
  readonly payment: Payment | null;
  /** The job of its latest send. */
  readonly jobId: JobId;
  readonly sends: number;
  readonly ttlSeconds: number;
  readonly createdAt: Date;
  readonly sentAt: Date;
  readonly expiresAt: Date;
}

/** A live row whose time is up counts as expired before the reconciler says so. */
export function stateAt(
  verification: Pick<Verification, 'state' | 'expiresAt'>,
  now: Date,
): VerificationState {
  return verification.state === 'live' && verification.expiresAt <= now ? 'expired' : verification.state;
}
