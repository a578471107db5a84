import type { Request } from 'express';
import {
  FRESH_PROOF_SECONDS,
  type PersonCaller,
  type PersonTokens,
} from '../../domain/identity/session/session.ts';
import { PLATFORM_PROJECT_ID } from '../../domain/project/platform.ts';
import type { ProjectId } from '../../domain/shared/ids.ts';
import type { Caller } from '../../domain/project/caller.ts';
import { ApiKeyText, type KeyScope } from '../../domain/project/key.ts';
import type { KeyDirectory, KnownKey } from '../../domain/project/port.ts';
import { Problem } from './problem.ts';
import type { KeyRoute, PersonRoute } from './route.ts';

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
export function requireMode({ mode }: Caller, testKeys: KeyRoute['testKeys']): void {
  if (mode === 'live' || testKeys === 'apart') return;
  throw new Problem(
    403,
    'live-key-required',
    'A test key reaches only its own codes, messages and jobs; this needs a live key.',
  );
}

/**
 * Which person calls, by the access token of their session.
 *
 * @throws Problem 401 where there is none, or none that stands now.
 */
export function authenticatePerson(
  persons: PersonTokens,
  { headers }: Request,
  now: Date,
): Promise<PersonCaller> {
  const token = /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (token === undefined)
    throw new NoGuess(
      'Bearer realm="navbat"',
      'Send the access token of a session as Authorization: Bearer ….',
    );
  return personOf(persons, token, now);
}

/**
 * Whose access token this is.
 *
 * @throws Problem 401 where it opens nothing now.
 */
export async function personOf(persons: PersonTokens, token: string, now: Date): Promise<PersonCaller> {
  const reading = await persons.read(token, now);
  if (reading.kind === 'valid') return reading.person;
  const detail =
    'This access token is forged or expired, or its session was ended. Refresh it, or sign in again.';
  throw reading.kind === 'forged'
    ? unauthenticated(INVALID_TOKEN, detail)
    : new NoGuess(INVALID_TOKEN, detail);
}

/**
 * @param moneyProject the project in which people earn; null where there is none.
 * @throws Problem 403 where the session is another sort of session, 401 where its proof is too old (RFC 9470).
 */
export function requireSession(
  person: PersonCaller,
  { session, fresh }: Pick<PersonRoute, 'session' | 'fresh'>,
  moneyProject: ProjectId | null,
  now: Date,
): void {
  if (session === 'earner') requireEarner(person, moneyProject);
  else requireReach(person, session);
  const ageSeconds = (now.getTime() - person.authenticatedAt.getTime()) / 1_000;
  if (!fresh || ageSeconds <= FRESH_PROOF_SECONDS) return;
  throw unauthenticated(
    `Bearer realm="navbat", error="insufficient_user_authentication", max_age="${FRESH_PROOF_SECONDS}"`,
    'Sign in again first: this asks for a proof of the last five minutes.',
  );
}

function requireReach(person: PersonCaller, session: Exclude<PersonRoute['session'], 'earner'>): void {
  if (session !== 'project' && person.projectId !== PLATFORM_PROJECT_ID)
    throw new Problem(
      403,
      'app-session-required',
      "This is for Navbat's own app, and not for a project's session.",
    );
  if (session === 'device' && person.deviceId === null)
    throw new Problem(403, 'device-session-required', 'This is for the session of a bound device.');
}

function requireEarner({ projectId, mode }: PersonCaller, moneyProject: ProjectId | null): void {
  const refused = (detail: string) => new Problem(403, 'earner-session-required', detail);
  if (moneyProject === null) throw refused('Nobody earns here: this installation has no MONEY_PROJECT.');
  if (projectId !== moneyProject)
    throw refused('This is for a session of the project in which people earn, and of no other.');
  // Its codes are shown to whoever holds the test key.
  if (mode !== 'live') throw refused('This is for a live session: a test one has no money.');
}

/** `Authorization: Bearer nbt_…` or `X-Api-Key: nbt_…`. A text that can't be a key is not looked up. */
function presentedKey({ headers }: Request): string {
  const authorization = headers.authorization;
  const bearer = authorization === undefined ? undefined : /^bearer +(\S+)$/i.exec(authorization)?.[1];
  const key = bearer ?? headers['x-api-key'];
  if (key === undefined && authorization === undefined)
    throw new NoGuess(
      'Bearer realm="navbat"',
      'Send an API key as Authorization: Bearer nbt_… or as X-Api-Key.',
    );
  if (typeof key !== 'string' || !ApiKeyText.safeParse(key).success) throw invalidKey();
  return key;
}

function callerOf(known: KnownKey, keys: KeyDirectory, now: Date): Caller {
  // Unknown, revoked, expired and archived read the same: what once opened a door is nobody else's business.
  if (!known.known) throw known.reason === 'unknown' ? invalidKey() : new NoGuess(INVALID_TOKEN, INVALID_KEY);
  if (known.expiresAt !== null && known.expiresAt <= now) throw new NoGuess(INVALID_TOKEN, INVALID_KEY);
  keys.used(known.caller.keyId, now);
  return known.caller;
}

/** RFC 6750 §3.1. */
export const INVALID_TOKEN = 'Bearer realm="navbat", error="invalid_token"';
const INVALID_KEY = 'This API key is unknown, expired or revoked.';
const invalidKey = () => unauthenticated(INVALID_TOKEN, INVALID_KEY);

class Unauthenticated extends Problem {
  constructor(challenge: string, detail: string, nextStep?: string) {
    super(401, 'unauthenticated', detail, {
      headers: { 'WWW-Authenticate': challenge },
      ...(nextStep !== undefined && { nextStep }),
    });
  }
}

/**
 * A key or token that was ours and opens nothing any more, or none at all: nobody guesses by it. It is 401 each time, and never
 * counted as a failed authentication, so that a client learns to sign in again instead of waiting out a 429.
 */
export class NoGuess extends Unauthenticated {}

export const unauthenticated = (challenge: string, detail: string) => new Unauthenticated(challenge, detail);
