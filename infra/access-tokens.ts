import { importJWK, SignJWT } from 'jose';
import { ACCESS_TOKEN_SECONDS, type AccessTokens } from '../domain/identity/phone-user.ts';
import type { Config } from './config.ts';

export const TOKEN_ISSUER = 'navbat';

/** Signs with Ed25519 (EdDSA), so that whoever checks a token needs no secret. */
export async function accessTokens(jwk: Config['JWT_PRIVATE_JWK']): Promise<AccessTokens> {
  const key = await importJWK(jwk, 'EdDSA');
  return {
    issue: (user, projectId, mode, now) => {
      const issuedAtSeconds = Math.floor(now.getTime() / 1_000);
      return new SignJWT({})
        .setProtectedHeader({ alg: 'EdDSA', kid: jwk.kid, typ: 'JWT' })
        .setIssuer(TOKEN_ISSUER)
        .setAudience(mode === 'test' ? `test:${projectId}` : projectId)
        .setSubject(user.id)
        .setIssuedAt(issuedAtSeconds)
        .setExpirationTime(issuedAtSeconds + ACCESS_TOKEN_SECONDS)
        .sign(key);
    },
  };
}
