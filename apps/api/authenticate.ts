import type { Request } from 'express';
import type { Caller } from '../../domain/project/caller.ts';
import { ApiKeyText, type KeyScope } from '../../domain/project/key.ts';
import type { KeyDirectory, KnownKey } from '../../domain/project/port.ts';
import { Problem } from '../http/problem.ts';
import type { Route } from './route.ts';

/**
 * Who calls. Answers at once for a key seen within the last seconds.
 *
 * @throws Problem 401 where there is no key, or none that opens anything now.
 */
export function authenticate(keys: KeyDirectory, req: Request, now: Date): Caller | Promise<Caller> {
  const key = presentedKey(req);
  const known = keys.recall(key);
  return known ? callerOf(known, keys, now) : keys.find(key).then((found) => callerOf(found, keys, now));
}

/** @throws Problem 403 where the key does not reach routes of this scope. */
export function requireScope({ access, scopes }: Caller, scope: KeyScope): void {
  // What an app in anybody's hands may do, a service may too.
  if (scope === 'public' || (access === 'secret' && scopes.includes(scope))) return;
  throw new Problem(403, 'insufficient-scope', `This key does not have the scope ${scope}.`);
}

/** @throws Problem 403 where a test key asks for what is live. */
export function requireMode({ mode }: Caller, testKeys: Route['testKeys']): void {
  if (mode === 'live' || testKeys === 'apart') return;
  throw new Problem(
    403,
    'live-key-required',
    'A test key reaches only its own codes, messages and jobs; this needs a live key.',
  );
}

/** `Authorization: Bearer nbt_…` or `X-Api-Key: nbt_…`. A text that can't be a key is not looked up. */
function presentedKey({ headers }: Request): string {
  const authorization = headers.authorization;
  const bearer = authorization === undefined ? undefined : /^bearer +(\S+)$/i.exec(authorization)?.[1];
  const key = bearer ?? headers['x-api-key'];
  if (key === undefined && authorization === undefined)
    throw unauthenticated(
      'Bearer realm="navbat"',
      'Send an API key as Authorization: Bearer nbt_… or as X-Api-Key.',
    );
  if (typeof key !== 'string' || !ApiKeyText.safeParse(key).success) throw invalidKey();
  return key;
}

function callerOf(known: KnownKey, keys: KeyDirectory, now: Date): Caller {
  // Unknown, revoked, expired and archived read the same: what once opened a door is nobody else's business.
  if (!known.known || (known.expiresAt !== null && known.expiresAt <= now)) throw invalidKey();
  keys.used(known.caller.keyId, now);
  return known.caller;
}

/** RFC 6750 §3.1. */
const invalidKey = () =>
  unauthenticated(
    'Bearer realm="navbat", error="invalid_token"',
    'This API key is unknown, expired or revoked.',
  );

const unauthenticated = (challenge: string, detail: string) =>
  new Problem(401, 'unauthenticated', detail, { headers: { 'WWW-Authenticate': challenge } });
