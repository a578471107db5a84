import type { ReasonFacts } from '../shared/reason.ts';

/** A refusal with all that its answer tells. Its reason is one of the context that refuses. */
export interface Refused<Reason extends string = string> {
  readonly reason: Reason;
  readonly retryAfterSeconds: number | null;
  /** Until when, by which limit, for which numbers: where it is known. */
  readonly facts?: ReasonFacts;
}

export type Decision<Accepted, Refusal extends string> =
  | ({ readonly kind: 'accepted' } & Accepted)
  | {
      readonly kind: 'refused';
      readonly reason: Refusal;
      readonly retryAfterSeconds: number | null;
    };

export const refused = <Refusal extends string>(reason: Refusal, retryAfterSeconds: number | null = null) =>
  ({ kind: 'refused', reason, retryAfterSeconds }) as const;
