import type { Response } from 'express';
import type { PersonCaller } from '../../domain/identity/session.ts';
import type { ProjectId } from '../../domain/job/job.ts';
import type { Caller } from '../../domain/project/caller.ts';
import {
  ADDRESS_REQUESTS_PER_MINUTE,
  CALLBACKS_PER_MINUTE,
  codesQuota,
  FAILED_AUTHENTICATIONS_PER_MINUTE,
  type Quota,
  OPEN_REQUESTS_PER_MINUTE,
  PERSON_REQUESTS_PER_MINUTE,
  type QuotaCounter,
  type QuotaState,
  quotaState,
  tightest,
  windowSecondsOf,
} from '../../domain/project/quota.ts';
import { addressBlock } from '../http/express.ts';
import { Problem } from '../http/problem.ts';
import type { RouteRequest } from './route.ts';

/**
 * Counts a request of a known caller against its key and its address, in one round trip, and says in the answer where
 * it stands. Addresses are counted per project, so that a neighbour behind the same address slows nobody but itself.
 *
 * @throws Problem 429 before anything was read or written, so that no idempotency key is burnt.
 */
export function limitCaller(
  counter: QuotaCounter,
  caller: Caller,
  address: string,
  res: Response,
): Promise<QuotaState> {
  const perMinute = caller.settings.requests_per_minute;
  // A service has few addresses: where its project may send more than an address may, the project's limit counts.
  const perAddress =
    caller.access === 'secret'
      ? Math.max(ADDRESS_REQUESTS_PER_MINUTE, perMinute)
      : ADDRESS_REQUESTS_PER_MINUTE;
  const key: Quota = { name: 'key', subject: caller.keyId, limit: perMinute };
  const from: Quota = {
    name: 'address',
    subject: `${caller.projectId}:${addressBlock(address)}`,
    limit: perAddress,
  };

  return limit(counter, res, [key, from]);
}

/**
 * Counts a person's request against their session. Their address stands for many people, and is counted as wide as a project's.
 *
 * @throws Problem 429.
 */
export function limitPerson(
  counter: QuotaCounter,
  person: PersonCaller,
  address: string,
  res: Response,
): Promise<QuotaState> {
  return limit(counter, res, [
    { name: 'session', subject: person.sessionId, limit: PERSON_REQUESTS_PER_MINUTE },
    { name: 'address', subject: `person:${addressBlock(address)}`, limit: ADDRESS_REQUESTS_PER_MINUTE },
  ]);
}

/** @throws Problem 429. */
export function limitAddress(counter: QuotaCounter, address: string, res: Response): Promise<QuotaState> {
  return limit(counter, res, [
    { name: 'open', subject: addressBlock(address), limit: OPEN_REQUESTS_PER_MINUTE },
  ]);
}

/** @throws Problem 429. */
export function limitCallbacks(counter: QuotaCounter, address: string, res: Response): Promise<QuotaState> {
  return limit(counter, res, [
    { name: 'callbacks', subject: addressBlock(address), limit: CALLBACKS_PER_MINUTE },
  ]);
}

/** The limit that binds first. */
async function limit(
  counter: QuotaCounter,
  res: Response,
  quotas: readonly [Quota, ...Quota[]],
): Promise<QuotaState> {
  const [first, ...others] = quotas.map(async (quota) => quotaState(quota, await counter.take(quota)));
  const states = [await (first as Promise<QuotaState>), ...(await Promise.all(others))] as const;
  res.setHeader('RateLimit-Policy', quotas.map(policy).join(', '));
  const binding = tightest(states);
  tell(binding, res);
  return binding;
}

/** Counts a request against one limit more, of which only its handler knows. It is thrown as a `Problem` 429. */
export type CountFurther = (quota: Quota) => Promise<void>;

/** `before` is what bound the request until then: the answer tells of whichever binds first. */
export function countFurther(counter: QuotaCounter, res: Response, before: QuotaState): CountFurther {
  return async (quota) => {
    const state = quotaState(quota, await counter.take(quota));
    res.appendHeader('RateLimit-Policy', policy(quota));
    tell(tightest([before, state]), res);
  };
}

/** Codes for `projectId` that somebody at this address may ask for. */
export const codesFrom = (projectId: ProjectId, address: string): Quota =>
  codesQuota(`${projectId}:${addressBlock(address)}`);

/**
 * Counts a code that is asked for with a key that every copy of an app holds. A service with a secret key knows its own users,
 * and calls for all of them from one address; a test key's codes are sent to nobody.
 *
 * @throws Problem 429 before anything was written, so that no idempotency key is burnt.
 */
export async function limitCodes({
  caller,
  ip,
  countFurther,
}: Pick<RouteRequest<unknown, unknown, unknown>, 'caller' | 'ip' | 'countFurther'>): Promise<void> {
  if (caller.access === 'publishable' && caller.mode === 'live')
    await countFurther(codesFrom(caller.projectId, ip));
}

/**
 * Counts a wrong key against its address. Callers with a good key at the same address go on as before.
 *
 * @throws Problem 429 in place of the 401.
 */
export async function limitFailure(counter: QuotaCounter, address: string, res: Response): Promise<void> {
  const quota: Quota = {
    name: 'failed-authentication',
    subject: addressBlock(address),
    limit: FAILED_AUTHENTICATIONS_PER_MINUTE,
  };
  const state = quotaState(quota, await counter.take(quota));
  if (!state.exceeded) return;
  res.setHeader('RateLimit-Policy', policy(quota));
  tell(state, res);
}

/** Headers of draft-ietf-httpapi-ratelimit-headers. */
function tell({ quota, remaining, exceeded, resetSeconds }: QuotaState, res: Response): void {
  res.setHeader('RateLimit', `"${quota.name}";r=${remaining};t=${resetSeconds}`);
  if (!exceeded) return;
  throw new Problem(
    429,
    'quota-exceeded',
    `More than ${quota.limit} requests ${windowNames[windowSecondsOf(quota)] ?? `in ${windowSecondsOf(quota)} s`}: ${explained[quota.name]}.`,
    {
      headers: { 'Retry-After': String(resetSeconds) },
      extra: { 'violated-policies': [quota.name] },
    },
  );
}

const windowNames: Readonly<Record<number, string>> = { 60: 'a minute', 3_600: 'an hour' };

const explained = {
  key: 'with this key',
  address: 'from this address',
  session: 'in this session',
  open: 'from this address',
  codes: 'for codes, from this address',
  'failed-authentication': 'with wrong keys from this address',
  callbacks: 'from this address',
  'forged-answer': 'that this device did not sign',
} satisfies Record<Quota['name'], string>;

const policy = (quota: Quota) => `"${quota.name}";q=${quota.limit};w=${windowSecondsOf(quota)}`;
