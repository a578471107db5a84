import { timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'uuid';
import type { ProofTokens } from '../../domain/shared/proof-tokens.ts';
import type { KeyedHash } from './crypto.ts';

const UUID_BYTES = 16;
const MAC_BYTES = 32;

/** base64url of an id and its keyed hash: whoever shows it was told it by us, and nothing of it is stored. */
export function proofTokens(hash: KeyedHash, domain: 'poll-token' | 'check-token'): ProofTokens {
  const macOf = (name: Buffer) => hash(domain, name.toString('hex'));
  return {
    of: (id) => {
      const name = Buffer.from(parse(id));
      return Buffer.concat([name, macOf(name)]).toString('base64url');
    },
    read: (token) => {
      const bytes = Buffer.from(token, 'base64url');
      if (bytes.length !== UUID_BYTES + MAC_BYTES) return null;
      const name = bytes.subarray(0, UUID_BYTES);
      return timingSafeEqual(bytes.subarray(UUID_BYTES), macOf(name)) ? stringify(name) : null;
    },
  };
}
