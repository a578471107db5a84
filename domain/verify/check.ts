import { z } from 'zod';
import type { ClosedReason } from './verification.ts';
import { Client, Purpose } from './send-command.ts';
import { AnyCode } from '../shared/typed-code.ts';
import { onceValid } from '../shared/refine.ts';

/** NIST SP 800-63B-4 §3.2.2: after this many wrong checks in a row a destination is locked. */
export const FAILED_CHECKS_IN_A_ROW_MAX = 100;
/**
 * A lock lifts by itself after a day, or sooner by a person: NIST asks for a cap in a row, and wrong codes that anybody with
 * an app's publishable key may send must not take a stranger's number away for good. A guesser has 100 guesses a day of 10^6.
 */
export const LOCK_SECONDS = 86_400;

/** A lock that was set at or before then has lifted. */
export const lockedSince = (now: Date): Date => new Date(now.getTime() - LOCK_SECONDS * 1_000);

/** Body of `POST /otp/verify`: by `id`, or by `to` where the send allowed it. */
export const CheckRequest = z
  .strictObject({
    id: z.uuid().optional().meta({ description: 'The id that the send answered.' }),
    to: z.string().min(1).max(64).optional(),
    purpose: Purpose.optional().meta({ description: 'A code of another purpose is then unknown.' }),
    code: AnyCode,
    client: Client.optional().meta({
      description: 'The end user: wrong codes are limited for each address.',
    }),
  })
  .refine((body) => (body.id === undefined) !== (body.to === undefined), {
    ...onceValid,
    error: 'expected id or to, and not both',
    path: ['id'],
  });

export type CheckResult =
  | {
      readonly kind: 'approved';
      readonly id: string;
      readonly purpose: string;
      readonly phone: string | null;
    }
  /** `remaining` is null for a check by `to`, which may not betray whether a code lives. */
  | { readonly kind: 'incorrect'; readonly remaining: number | null }
  | { readonly kind: 'closed'; readonly reason: ClosedReason }
  | { readonly kind: 'locked' }
  | { readonly kind: 'unknown' };
