import { z } from 'zod';
import { FACTOR_CHARACTERS_MAX } from '../../domain/staff/second-factor.ts';
import { PasskeyAssertion } from '../../domain/staff/webauthn.ts';

/** Of a body that shows a second factor. One object, and not a union of two: a bad field in it is then named. */
export const factorFields = (codeWords: string) => ({
  code: z.string().max(FACTOR_CHARACTERS_MAX).optional().meta({ description: codeWords, example: '123456' }),
  passkey: PasskeyAssertion.optional().meta({
    description: 'What `navigator.credentials.get()` answered, by its `toJSON()`; in place of `code`.',
  }),
});

interface Given {
  readonly code?: string | undefined;
  readonly passkey?: PasskeyAssertion | undefined;
}

/** An object with these fields holds one of them. */
export const eitherFactor = (given: Given): boolean =>
  (given.code === undefined) !== (given.passkey === undefined);
export const noEitherFactor = () => ({
  path: ['code'],
  error: 'expected either `code` or `passkey`',
  // Beside what else is wrong, so that all is told at once.
  when: ({ value }: { readonly value: unknown }) => typeof value === 'object' && value !== null,
});
