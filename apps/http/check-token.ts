import { z } from 'zod';
import type { Caller } from '../../domain/project/caller.ts';
import { PROOF_TOKEN_CHARS_MAX, type ProofTokens } from '../../domain/shared/proof-tokens.ts';
import { Problem } from './problem.ts';

/** Of codes that are asked for with a key that anybody may have: who asked shows it by a token. */
export const CheckToken = z.string().min(1).max(PROOF_TOKEN_CHARS_MAX);

/** Of an answer. */
export const toldToken = {
  check_token: CheckToken.optional().meta({
    description:
      'With a publishable key. Keep it: only with it can this code be checked, or sent again. Nobody else is told it.',
  }),
};
/** Of a request to check. */
export const shownToken = {
  check_token: CheckToken.optional().meta({
    description:
      'What the send answered. Required with a publishable key, so that nobody else can use up the checks of your code.',
  }),
};

interface Tokens {
  readonly checkTokens: ProofTokens;
}

export const tokenFor = ({ checkTokens }: Tokens, { access }: Caller, id: string) =>
  access === 'publishable' ? { check_token: checkTokens.of(id) } : {};

/** 400: a publishable key was used, and nothing shows that the code is theirs. */
export const tokenMissing = () =>
  new Problem(400, 'invalid-request', 'The request does not fit the schema.', {
    errors: [
      {
        pointer: '/check_token',
        detail: 'expected the check_token that the send answered: a publishable key checks nothing else',
      },
    ],
  });
