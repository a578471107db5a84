import { expect, test } from 'vitest';
import { CheckToken, tokenFor, tokenMissing } from '../../../apps/http/check-token.ts';
import { PROOF_TOKEN_CHARS_MAX } from '../../../domain/shared/proof-tokens.ts';
import type { Caller } from '../../../domain/project/caller.ts';

const checkTokens = { of: (id: string) => `token of ${id}`, read: () => null };
const toldTo = (access: Caller['access']) => tokenFor({ checkTokens }, { access } as Caller, 'a');

test('a token is told with a key that anybody may have, and a service needs none', () => {
  expect(toldTo('publishable')).toEqual({ check_token: 'token of a' });
  expect(toldTo('secret')).toEqual({});
});

test('a token is bounded before it is looked at, and one that is missing is told at its field', () => {
  const fits = (text: string) => CheckToken.safeParse(text).success;
  expect([
    fits('x'.repeat(PROOF_TOKEN_CHARS_MAX)),
    fits('x'.repeat(PROOF_TOKEN_CHARS_MAX + 1)),
    fits(''),
  ]).toEqual([true, false, false]);
  expect(tokenMissing()).toMatchObject({ status: 400, errors: [{ pointer: '/check_token' }] });
});
