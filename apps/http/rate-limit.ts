import type { ServerResponse } from 'node:http';
import type { PersonCaller } from '../../domain/identity/session/session.ts';
import type { ProjectId } from '../../domain/shared/ids.ts';
import type { Caller } from '../../domain/project/caller.ts';
import {
  ADDRESS_REQUESTS_PER_MINUTE,
  CALLBACKS_PER_MINUTE,
  appAddressLimit,
  codesQuota,
  FAILED_AUTHENTICATIONS_PER_MINUTE,
  type Quota,
  OPEN_REQUESTS_PER_MINUTE,
  PERSON_REQUESTS_PER_MINUTE,
  STAFF_REQUESTS_PER_MINUTE,
  type QuotaCounter,
  type QuotaState,
  type Quotas,
  takeAll,
  tightest,
  windowSecondsOf,
} from '../../domain/project/quota.ts';
import { netsOf } from '../../domain/shared/ip-address.ts';
import { Problem } from './problem.ts';
import type { RouteRequest } from './route.ts';

/** Where a limit says how it stands. */
export type LimitHeaders = Pick<ServerResponse, 'setHeader' | 'appendHeader'>;

/**
 * Counts a request of a known caller against its address and then its key, and says in the answer where it stands. What an
 * address is refused is not counted against the key, which many share. Addresses are counted per project, so that a neighbour
 * behind the same address slows nobody but itself.
 *
 * @throws Problem 429 before anything was read or written, so that no idempotency key is burnt.
 */
export function limitCaller(
  counter: QuotaCounter,
  caller: Caller,
  address: string,
  res: LimitHeaders,
): Promise<QuotaState> {
  const perMinute = caller.settings.requests_per_minute;
  // A service has few addresses: where its project may send more than an address may, the project's limit counts.
  const perAddress =
    caller.access === 'secret'
      ? Math.max(ADDRESS_REQUESTS_PER_MINUTE, perMinute)
      : appAddressLimit(perMinute);
  const key: Quota = { name: 'key', subject: caller.keyId, limit: perMinute };
  const from = quotasFrom(address, { name: 'address', subject: `${caller.projectId}:`, limit: perAddress });
  return limit(counter, res, [...from, key]);
}

/** One for the address and, with IPv6, for each net around it. */
function quotasFrom(address: string, quota: Quota): Quotas {
  const [narrowest, ...wider] = netsOf(address).map(({ subject, times }) => ({
    ...quota,
    subject: `${quota.subject}${subject}`,
    limit: quota.limit * times,
  }));
  return [narrowest as Quota, ...wider];
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
  res: LimitHeaders,
): Promise<QuotaState> {
  return limit(counter, res, [
    { name: 'session', subject: person.sessionId, limit: PERSON_REQUESTS_PER_MINUTE },
    ...quotasFrom(address, { name: 'address', subject: 'person:', limit: ADDRESS_REQUESTS_PER_MINUTE }),
  ]);
}

/**
 * The same, for a member of staff.
 *
 * @throws Problem 429.
 */
export function limitStaff(
  counter: QuotaCounter,
  sessionId: string,
  address: string,
  res: LimitHeaders,
): Promise<QuotaState> {
  return limit(counter, res, [
    { name: 'session', subject: `staff:${sessionId}`, limit: STAFF_REQUESTS_PER_MINUTE },
    ...quotasFrom(address, { name: 'address', subject: 'staff:', limit: ADDRESS_REQUESTS_PER_MINUTE }),
  ]);
}

/** @throws Problem 429. */
export function limitAddress(counter: QuotaCounter, address: string, res: LimitHeaders): Promise<QuotaState> {
  return limit(
    counter,
    res,
    quotasFrom(address, { name: 'open', subject: '', limit: OPEN_REQUESTS_PER_MINUTE }),
  );
}

/** @throws Problem 429. */
export function limitCallbacks(
  counter: QuotaCounter,
  address: string,
  res: LimitHeaders,
): Promise<QuotaState> {
  return limit(
    counter,
    res,
    quotasFrom(address, { name: 'callbacks', subject: '', limit: CALLBACKS_PER_MINUTE }),
  );
}

/** The limit that binds first. */
async function limit(counter: QuotaCounter, res: LimitHeaders, quotas: Quotas): Promise<QuotaState> {
  // Of the nets around an address the narrowest stands for all: a list names each policy once.
  const named = new Map(quotas.toReversed().map((quota) => [quota.name, policy(quota)]));
  res.setHeader('RateLimit-Policy', [...named.values()].toReversed().join(', '));
  const binding = await takeAll(counter, quotas);
  tell(binding, res);
  return binding;
}

/** Counts a request against limits more, of which only its handler knows. An exceeded one is thrown as a `Problem` 429. */
export type CountFurther = (...quotas: Quotas) => Promise<void>;

/** `before` is what bound the request until then: the answer tells of whichever binds first. */
export function countFurther(counter: QuotaCounter, res: LimitHeaders, before: QuotaState): CountFurther {
  return async (...quotas) => {
    res.appendHeader('RateLimit-Policy', policy(quotas[0]));
    tell(tightest([before, await takeAll(counter, quotas)]), res);
  };
}

/** Codes for `projectId` that somebody at this address may ask for. */
export const codesFrom = (projectId: ProjectId, address: string): Quotas =>
  quotasFrom(address, codesQuota(`${projectId}:`));

/**
 * Counts a code that is asked for with a key that every copy of an app holds, for its address alone: what is counted over all
 * addresses a hundred of them fill, and nobody signs in any more. The share of the budget bounds the sum. A service with a secret key knows its own users,
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
    await countFurther(...codesFrom(caller.projectId, ip));
}

/**
 * Counts a wrong key against its address. Callers with a good key at the same address go on as before.
 *
 * @throws Problem 429 in place of the 401.
 */
export async function limitFailure(counter: QuotaCounter, address: string, res: LimitHeaders): Promise<void> {
  const quotas = quotasFrom(address, {
    name: 'failed-authentication',
    subject: '',
    limit: FAILED_AUTHENTICATIONS_PER_MINUTE,
  });
  const state = await takeAll(counter, quotas);
  if (!state.exceeded) return;
  res.setHeader('RateLimit-Policy', policy(state.quota));
  tell(state, res);
}

/** Headers of draft-ietf-httpapi-ratelimit-headers. */
function tell({ quota, remaining, exceeded, resetSeconds }: QuotaState, res: LimitHeaders): void {
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
  'promo-code': 'to redeem promo codes',
  'recomputed-balance': 'to sum up the balance of this person',
} satisfies Record<Quota['name'], string>;

const policy = (quota: Quota) => `"${quota.name}";q=${quota.limit};w=${windowSecondsOf(quota)}`;
