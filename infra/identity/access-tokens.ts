import { importJWK, SignJWT } from 'jose';
import type { KeyMode } from '../../domain/project/key.ts';
import type { ProjectId } from '../../domain/shared/ids.ts';
import { ACCESS_TOKEN_SECONDS, type AccessTokens } from '../../domain/identity/person/phone-user.ts';
import {
  type PersonCaller,
  SESSION_TOKEN_SECONDS,
  type SignInMethod,
} from '../../domain/identity/session/session.ts';
import type { Config } from '../process/config.ts';

export const TOKEN_ISSUER = 'navbat';

type Jwk = Config['JWT_PRIVATE_JWK'];

/** S3's tokens. Signs with Ed25519 (EdDSA), so that whoever checks a token needs no secret. */
export async function accessTokens(jwk: Jwk): Promise<AccessTokens> {
  const sign = await signer(jwk);
  return {
    issue: (user, projectId, mode, now) =>
      sign({ sub: user.id, aud: audienceOf({ projectId, mode }) }, now, ACCESS_TOKEN_SECONDS),
  };
}

/** What a session's token says. */
export interface SessionClaims extends Pick<
  PersonCaller,
  'sessionId' | 'projectId' | 'mode' | 'recipientId' | 'authenticatedAt'
> {
  readonly method: SignInMethod;
}

/** Tokens of people who signed in (RFC 9068's claims). */
export interface SessionTokens {
  issue(session: SessionClaims, now: Date): Promise<string>;
}

export async function sessionTokens(jwk: Jwk): Promise<SessionTokens> {
  const sign = await signer(jwk);
  return {
    issue: (session, now) =>
      sign(
        {
          sub: session.recipientId,
          aud: audienceOf(session),
          sid: session.sessionId,
          auth_time: Math.floor(session.authenticatedAt.getTime() / 1_000),
          amr: methodReferences[session.method],
        },
        now,
        SESSION_TOKEN_SECONDS,
      ),
  };
}

/** RFC 8176 where it has a word: a code, and a key that the device holds. */
const methodReferences = {
  telegram: ['telegram'],
  code: ['otp'],
  approval: ['swk', 'user'],
  device: ['swk'],
} satisfies Record<SignInMethod, readonly string[]>;

/** A test key's people are no one's at the live one. */
export const audienceOf = ({ projectId, mode }: { projectId: ProjectId; mode: KeyMode }): string =>
  mode === 'test' ? `test:${projectId}` : projectId;

interface Claims {
  readonly sub: string;
  readonly aud: string;
  readonly [claim: string]: unknown;
}

async function signer(jwk: Jwk) {
  const key = await importJWK(jwk, 'EdDSA');
  return (claims: Claims, now: Date, lifeSeconds: number): Promise<string> => {
    const issuedAtSeconds = Math.floor(now.getTime() / 1_000);
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid: jwk.kid, typ: 'JWT' })
      .setIssuer(TOKEN_ISSUER)
      .setIssuedAt(issuedAtSeconds)
      .setExpirationTime(issuedAtSeconds + lifeSeconds)
      .sign(key);
  };
}
