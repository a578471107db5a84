import { hotpCode } from '../domain/otp/code.ts';
import type { Verification } from '../domain/otp/verification.ts';
import type { KeyRing } from './config.ts';
import { codeKeys } from './crypto.ts';

export type CodeOf = (
  verification: Pick<
    Verification,
    'id' | 'projectId' | 'purpose' | 'codeKid' | 'codeGeneration' | 'codeLength'
  >,
) => string;

/** The code that a verification's person was sent; derived at each use, stored never. */
export function codeOf(ring: KeyRing): CodeOf {
  const keyOf = codeKeys(ring);
  return ({ id, projectId, purpose, codeKid, codeGeneration, codeLength }) =>
    hotpCode(keyOf({ kid: codeKid, id, projectId, purpose }), codeGeneration, codeLength);
}
