import { importJWK, type JWTHeaderParameters, jwtVerify } from 'jose';
import type pg from 'pg';
import { z } from 'zod';
import { type PersonCaller, type PersonTokens, SessionId } from '../../domain/identity/session.ts';
import { audienceOf, TOKEN_ISSUER } from './access-tokens.ts';
import type { Config } from '../config.ts';

const Claims = z.object({ sid: SessionId, sub: z.string(), aud: z.string() });

/** A key that checks our tokens, as `/.well-known/jwks.json` shows it (RFC 7517). */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
}

/** The current key, and those of before it (or of after, while a new one is rolled out). */
export function publicKeys({
  JWT_PRIVATE_JWK: current,
  JWT_PREVIOUS_JWKS: previous = [],
}: Pick<Config, 'JWT_PRIVATE_JWK' | 'JWT_PREVIOUS_JWKS'>): readonly [PublicJwk, ...PublicJwk[]] {
  const show = ({ kty, crv, x, kid }: Pick<PublicJwk, 'kty' | 'crv' | 'x' | 'kid'>): PublicJwk => ({
    kty,
    crv,
    x,
    kid,
    alg: 'EdDSA',
    use: 'sig',
  });
  return [show(current), ...previous.map(show)];
}

/** A token's signature says that we made it; the session's row, that it still stands. */
export async function personTokens(keys: readonly PublicJwk[], pool: pg.Pool): Promise<PersonTokens> {
  const byKid = new Map(
    await Promise.all(keys.map(async (jwk) => [jwk.kid, await importJWK({ ...jwk }, 'EdDSA')] as const)),
  );
  const keyOf = ({ kid }: JWTHeaderParameters) => {
    const key = byKid.get(kid ?? '');
    if (!key) throw new Error('no such key');
    return key;
  };
  return {
    read: async (token, now) => {
      const verified = await jwtVerify(token, keyOf, {
        algorithms: ['EdDSA'],
        issuer: TOKEN_ISSUER,
        typ: 'JWT',
        requiredClaims: ['exp'],
        currentDate: now,
      }).catch(() => null);
      const claims = Claims.safeParse(verified?.payload).data;
      if (!claims) return null;
      const { rows } = await pool.query<PersonCaller>(readSession, [claims.sid, now]);
      const [session] = rows;
      const fits = session?.recipientId === claims.sub && audienceOf(session) === claims.aud;
      return fits ? session : null;
    },
  };
}

/** A sign-in that was under way when its device was revoked opened a session after those were ended: it opens nothing. */
const readSession = `
select s.person_id "personId", s.id "sessionId", s.project_id "projectId", s.mode, s.recipient_id "recipientId", s.device_id "deviceId",
  s.authenticated_at "authenticatedAt"
from session s join project p on p.id = s.project_id left join device d on d.id = s.device_id
where s.id = $1 and s.revoked_at is null and s.expires_at > $2 and p.archived_at is null and d.revoked_at is null`;
