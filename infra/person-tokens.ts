import { importJWK, jwtVerify } from 'jose';
import type pg from 'pg';
import { z } from 'zod';
import { type PersonCaller, type PersonTokens, SessionId } from '../domain/identity/session.ts';
import type { Config } from './config.ts';
import { TOKEN_ISSUER } from './access-tokens.ts';

const Claims = z.object({ sid: SessionId, aud: z.string() });

/** A token's signature says that we made it; the session's row, that it still stands. */
export async function personTokens(jwk: Config['JWT_PRIVATE_JWK'], pool: pg.Pool): Promise<PersonTokens> {
  const { d: _private, ...publicJwk } = jwk;
  const key = await importJWK(publicJwk, 'EdDSA');
  return {
    read: async (token, now) => {
      const verified = await jwtVerify(token, key, {
        algorithms: ['EdDSA'],
        issuer: TOKEN_ISSUER,
        typ: 'JWT',
        currentDate: now,
      }).catch(() => null);
      const claims = Claims.safeParse(verified?.payload).data;
      if (verified?.protectedHeader.kid !== jwk.kid || !claims) return null;
      const { rows } = await pool.query<PersonCaller>(readSession, [claims.sid, now]);
      const [session] = rows;
      return session && audienceOf(session) === claims.aud ? session : null;
    },
  };
}

/** A test key's people are no one's at the live one. */
export const audienceOf = ({ projectId, mode }: Pick<PersonCaller, 'projectId' | 'mode'>): string =>
  mode === 'test' ? `test:${projectId}` : projectId;

const readSession = `
select person_id "personId", id "sessionId", project_id "projectId", mode, recipient_id "recipientId", device_id "deviceId",
  authenticated_at "authenticatedAt"
from session where id = $1 and revoked_at is null and expires_at > $2`;
