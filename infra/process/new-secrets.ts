import { generateKeyPairSync, randomBytes } from 'node:crypto';

/** What `config.ts` expects of a key; RFC 4226 R6 asks for 20 at least. */
const KEY_BYTES = 32;
const KID_BYTES = 6;

/** The secrets that every installation must have of its own, under the names of their environment variables. */
export type NewSecrets = Readonly<
  Record<'CODE_KEYS' | 'ENCRYPTION_KEYS' | 'PEPPER' | 'JWT_PRIVATE_JWK', string>
>;

/** Makes them anew. What an older set encrypted, hashed or signed can't be opened with this one: it is for a first start only. */
export function newSecrets(now: Date): NewSecrets {
  const { privateKey } = generateKeyPairSync('ed25519');
  const kid = randomBytes(KID_BYTES).toString('base64url');
  return {
    CODE_KEYS: newKey(now),
    ENCRYPTION_KEYS: newKey(now),
    PEPPER: randomBytes(KEY_BYTES).toString('base64url'),
    JWT_PRIVATE_JWK: JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid }),
  };
}

/** Its kid is a year and month, which tells an operator the keys that are old enough to retire. */
const newKey = (now: Date): string =>
  `${now.toISOString().slice(0, 'YYYY-MM'.length)}:${randomBytes(KEY_BYTES).toString('base64url')}`;
