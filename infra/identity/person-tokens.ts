import { errors, importJWK, type JWTHeaderParameters, jwtVerify } from 'jose';
import type pg from 'pg';
import { z } from 'zod';
import {
  type PersonCaller,
  type PersonTokens,
  SessionId,
  type TokenReading,
} from '../../domain/identity/session/session.ts';
import { batcher } from '../postgres/engine/batcher.ts';
import { audienceOf, TOKEN_ISSUER } from './access-tokens.ts';
import type { Config } from '../process/config.ts';

const Claims = z.object({ sid: SessionId, sub: z.string(), aud: z.string(), exp: z.number() });

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
    if (!key) throw new errors.JWKSNoMatchingKey();
    return key;
  };
  const sessionOf = openSessions(pool);
  return {
    read: async (token, now) => {
      try {
        const { payload } = await jwtVerify(token, keyOf, {
          algorithms: ['EdDSA'],
          issuer: TOKEN_ISSUER,
          typ: 'JWT',
          requiredClaims: ['exp'],
          currentDate: now,
        });
        return await readClaims(sessionOf, payload, now);
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
        return { kind: isOurs(error) ? 'ended' : 'forged' };
      }
    },
  };
}

/** Claims are read once the signature has been found good: whoever brings such a token guesses nothing. */
const isOurs = (error: errors.JOSEError) =>
  error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed;

type SessionOf = (id: SessionId) => Promise<OpenSession | null>;

async function readClaims(sessionOf: SessionOf, payload: unknown, now: Date): Promise<TokenReading> {
  const claims = Claims.safeParse(payload).data;
  if (!claims) return { kind: 'ended' };
  const found = await sessionOf(claims.sid);
  if (!found || found.expiresAt <= now) return { kind: 'ended' };
  const { expiresAt: _until, ...person } = found;
  const fits = person.recipientId === claims.sub && audienceOf(person) === claims.aud;
  const tokenEndsAt = new Date(claims.exp * 1_000);
  return fits ? { kind: 'valid', person: { ...person, tokenEndsAt } } : { kind: 'ended' };
}

interface OpenSession extends Omit<PersonCaller, 'tokenEndsAt'> {
  readonly expiresAt: Date;
}

/** Requests that come together share a statement, which is planned once. */
const SESSIONS_MAX = 500;
const BATCHES_IN_FLIGHT_MAX = 2;

const openSessions = (pool: pg.Pool): SessionOf =>
  batcher({
    name: 'person-sessions',
    sizeMax: SESSIONS_MAX,
    inFlightMax: BATCHES_IN_FLIGHT_MAX,
    run: async (ids: readonly SessionId[]) => {
      const { rows } = await pool.query<OpenSession>({
        name: 'person-sessions',
        text: readSessions,
        values: [ids],
      });
      const found = new Map(rows.map((row) => [row.sessionId, row]));
      return ids.map((id) => found.get(id) ?? null);
    },
  });

/** A sign-in that was under way when its device was revoked opened a session after those were ended: it opens nothing. */
const readSessions = `
select s.person_id "personId", s.id "sessionId", s.project_id "projectId", s.mode, s.recipient_id "recipientId", s.device_id "deviceId",
  s.authenticated_at "authenticatedAt", s.expires_at "expiresAt"
from session s join project p on p.id = s.project_id left join device d on d.id = s.device_id
where s.id = any($1) and s.revoked_at is null and p.archived_at is null and d.revoked_at is null`;

/** Which of these sessions still stand: what `read` asks of one, for whoever stays connected. */
export const standingSessions =
  (pool: pg.Pool) =>
  async (ids: readonly string[], now: Date): Promise<ReadonlySet<string>> => {
    const { rows } = await pool.query<{ id: string }>(readStanding, [ids, now]);
    return new Set(rows.map(({ id }) => id));
  };

const readStanding = `
select s.id from session s join project p on p.id = s.project_id left join device d on d.id = s.device_id
where s.id = any($1::uuid[]) and s.revoked_at is null and s.expires_at > $2 and p.archived_at is null and d.revoked_at is null`;
