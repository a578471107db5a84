import { CompactSign, compactVerify, errors, importJWK } from 'jose';
import { DayHead, HEAD_TYPE, type ReadHead } from '../../domain/pay/ledger/head.ts';
import { parseJson } from '../../domain/shared/json.ts';

interface PublicKey {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly kid: string;
}
interface SigningKey extends PublicKey {
  readonly d: string;
}

/** Signs with the key of access tokens (EdDSA), whose public half is at `/.well-known/jwks.json`: compact JWS. */
export async function headSigner(jwk: SigningKey): Promise<(head: DayHead) => Promise<string>> {
  const key = await importJWK({ ...jwk }, 'EdDSA');
  return (head) =>
    new CompactSign(Buffer.from(JSON.stringify(head)))
      .setProtectedHeader({ alg: 'EdDSA', kid: jwk.kid, typ: HEAD_TYPE })
      .sign(key);
}

/** Checks with these public keys, each under its kid. */
export async function headReader(keys: readonly PublicKey[]): Promise<ReadHead> {
  const byKid = new Map(
    await Promise.all(
      keys.map(async ({ kid, kty, crv, x }) => [kid, await importJWK({ kty, crv, x }, 'EdDSA')] as const),
    ),
  );
  return async (jws) => {
    let kid = '';
    try {
      const { payload, protectedHeader } = await compactVerify(
        jws,
        (header) => {
          kid = String(header.kid ?? '');
          const key = byKid.get(kid);
          if (!key) throw new errors.JWKSNoMatchingKey();
          return key;
        },
        { algorithms: ['EdDSA'] },
      );
      const head = DayHead.safeParse(parseJson(Buffer.from(payload).toString('utf8'))).data;
      return head && protectedHeader.typ === HEAD_TYPE ? { kind: 'valid', head } : { kind: 'forged' };
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return { kind: 'unknown-key', kid };
      if (error instanceof errors.JOSEError) return { kind: 'forged' };
      throw error;
    }
  };
}
