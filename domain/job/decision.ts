import type { ReasonFacts } from '../shared/reason.ts';

/** Why a command that is well formed is still refused. Closed, so that a new reason does not compile until it has an answer. */
export const refusalReasons = [
  'too-soon',
  'too-many-sends',
  'publishable-limit',
  'codes-unconfirmed',
  'destination-locked',
  'no-channel',
  'country-not-allowed',
  'budget-spent',
  'prefix-blocked',
  'number-capped',
  'code-too-short',
  'totp-for-money',
  'other-payment',
  'unknown-recipient',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** Refusals that are limits: time or a person lifts them, so that an idempotency key may be tried again. */
export const limitReasons: ReadonlySet<RefusalReason> = new Set([
  'too-soon',
  'too-many-sends',
  'publishable-limit',
  'codes-unconfirmed',
  'destination-locked',
  'number-capped',
  'other-payment',
]);

/** A refusal with all that its answer tells. */
export interface Refused {
  readonly reason: RefusalReason;
  readonly retryAfterSeconds: number | null;
  /** Until when, by which limit, for which numbers: where it is known. */
  readonly facts?: ReasonFacts;
}

export type Decision<Accepted, Refusal extends RefusalReason = RefusalReason> =
  | ({ readonly decision: 'accepted' } & Accepted)
  | {
      readonly decision: 'refused';
      readonly reason: Refusal;
      readonly retryAfterSeconds: number | null;
    };

export const refused = <Refusal extends RefusalReason>(
  reason: Refusal,
  retryAfterSeconds: number | null = null,
) => ({ decision: 'refused', reason, retryAfterSeconds }) as const;
