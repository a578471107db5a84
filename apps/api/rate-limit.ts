import type { Response } from 'express';
import type { PersonCaller } from '../../domain/identity/session.ts';
import type { Caller } from '../../domain/project/caller.ts';
import {
  ADDRESS_REQUESTS_PER_MINUTE,
  FAILED_AUTHENTICATIONS_PER_MINUTE,
  type Quota,
  OPEN_REQUESTS_PER_MINUTE,
  PERSON_REQUESTS_PER_MINUTE,
  QUOTA_WINDOW_SECONDS,
  type QuotaCounter,
  type QuotaState,
  quotaState,
  tightest,
} from '../../domain/project/quota.ts';
import { addressBlock } from '../http/express.ts';
import { Problem } from '../http/problem.ts';

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
): Promise<void> {
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
): Promise<void> {
  return limit(counter, res, [
    { name: 'session', subject: person.sessionId, limit: PERSON_REQUESTS_PER_MINUTE },
    { name: 'address', subject: `person:${addressBlock(address)}`, limit: ADDRESS_REQUESTS_PER_MINUTE },
  ]);
}

/** @throws Problem 429. */
export function limitAddress(counter: QuotaCounter, address: string, res: Response): Promise<void> {
  return limit(counter, res, [
    { name: 'open', subject: addressBlock(address), limit: OPEN_REQUESTS_PER_MINUTE },
  ]);
}

async function limit(
  counter: QuotaCounter,
  res: Response,
  quotas: readonly [Quota, ...Quota[]],
): Promise<void> {
  const [first, ...others] = quotas.map(async (quota) => quotaState(quota, await counter.take(quota)));
  const states = [await (first as Promise<QuotaState>), ...(await Promise.all(others))] as const;
  res.setHeader('RateLimit-Policy', quotas.map(policy).join(', '));
  tell(tightest(states), res);
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
    `More than ${quota.limit} requests a minute: ${explained[quota.name]}.`,
    {
      headers: { 'Retry-After': String(resetSeconds) },
      extra: { 'violated-policies': [quota.name] },
    },
  );
}

const explained = {
  key: 'with this key',
  address: 'from this address',
  session: 'in this session',
  open: 'from this address',
  'failed-authentication': 'with wrong keys from this address',
  'forged-answer': 'that this device did not sign',
} satisfies Record<Quota['name'], string>;

const policy = ({ name, limit }: Quota) => `"${name}";q=${limit};w=${QUOTA_WINDOW_SECONDS}`;
