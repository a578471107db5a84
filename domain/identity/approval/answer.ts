import {
  type ChallengeAnswer,
  type ChallengeState,
  type Decision,
  MONEY_DEVICE_AGE_SECONDS,
} from './challenge.ts';

export interface AnswerFacts {
  readonly state: ChallengeState;
  readonly expiresAt: Date;
  /** The verification that it would approve is live. */
  readonly isAwaited: boolean;
  /** A later send of that verification has a challenge, and a number, of its own. */
  readonly superseded: boolean;
  readonly movesMoney: boolean;
  readonly deviceBoundAt: Date;
  /** The two digits that the requester shows; null where nobody can know them any more. */
  readonly number: string | null;
  readonly signatureHolds: boolean;
  /** The answer that was given before, by the same device and with the same statement. */
  readonly repeats: boolean;
}

/** Why an answer changes nothing, and uses nothing up. */
export type AnswerRefusal = 'forged' | 'answered' | 'closed' | 'device-too-young';

export type AnswerOutcome =
  | { readonly outcome: Exclude<ChallengeState, 'pending'>; readonly repeated: boolean }
  | { readonly outcome: AnswerRefusal };

const stateOf = { approve: 'approved', deny: 'denied', report: 'reported' } as const satisfies Record<
  Decision,
  ChallengeState
>;

/** What an answer does. Who can't sign it can't use it up: the signature is looked at first. */
export function decideAnswer(
  facts: AnswerFacts,
  { decision, number }: Pick<ChallengeAnswer, 'decision' | 'number'>,
  now: Date,
): AnswerOutcome {
  if (!facts.signatureHolds) return { outcome: 'forged' };
  if (facts.state !== 'pending')
    return facts.repeats ? { outcome: facts.state, repeated: true } : { outcome: 'answered' };
  if (facts.expiresAt <= now || facts.superseded || !facts.isAwaited) return { outcome: 'closed' };
  if (decision !== 'approve') return { outcome: stateOf[decision], repeated: false };

  const boundSeconds = (now.getTime() - facts.deviceBoundAt.getTime()) / 1_000;
  if (facts.movesMoney && boundSeconds < MONEY_DEVICE_AGE_SECONDS) return { outcome: 'device-too-young' };
  const matches = facts.number !== null && facts.number === number;
  return { outcome: matches ? 'approved' : 'mismatched', repeated: false };
}
