import type { JobId } from '../../domain/shared/ids.ts';
import { hotpCode } from '../../domain/verify/code.ts';
import type { Verification } from '../../domain/verify/verification.ts';
import type { KeyRing } from '../process/config-values.ts';
import { codeKeys, derivedKeys } from '../process/crypto.ts';

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

/** Whose root key, and of which send. */
export type NumberOf = (of: { readonly kid: string; readonly jobId: JobId }) => string | null;

/** Of as many the remainder modulo 100 favours no number that anybody could tell. */
const NUMBER_KEY_BYTES = 6;
const NUMBERS = 100;

/**
 * The two digits that a requester shows and the person types on their device: of one send, so that a replay of it tells the same,
 * and derived, so that they stand nowhere. Null where the root key is retired, long after anybody could type them.
 */
export function numberOf(ring: KeyRing): NumberOf {
  const derive = derivedKeys(ring);
  return ({ kid, jobId }) => {
    const bytes = derive(kid, `navbat number ${jobId}`, NUMBER_KEY_BYTES);
    return bytes && String(Buffer.from(bytes).readUIntBE(0, NUMBER_KEY_BYTES) % NUMBERS).padStart(2, '0');
  };
}
