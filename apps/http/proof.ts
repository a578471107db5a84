import { z } from 'zod';
import type { ProofOutcome } from '../../domain/staff/proof.ts';
import type { ProblemType } from '../../domain/reasons.ts';
import { Problem } from './problem.ts';

/** In the body of each route that asks for a proof. */
export const proofId = z.uuid().meta({
  description:
    'Of `POST /staff/proofs`: a second factor of the last five minutes for exactly this. It is used up with it.',
});

/** Why a proof does not approve what is asked. */
export function proofProblem(outcome: Exclude<ProofOutcome, 'ok'>): Problem {
  const { type, words } = problems[outcome];
  return new Problem(403, type, words);
}

const problems = {
  stale: { type: 'proof-stale', words: 'This proof is older than five minutes.' },
  used: { type: 'proof-used', words: 'This proof has approved something already.' },
  'other-subject': {
    type: 'proof-other-subject',
    words:
      'This proof is of something else: its action, subject, version, hash, count or total differs from what is there now.',
  },
  unknown: { type: 'proof-unknown', words: 'You have no such proof.' },
} as const satisfies Record<
  Exclude<ProofOutcome, 'ok'>,
  { readonly type: ProblemType; readonly words: string }
>;
