/** Length of the window in which requests are counted: the unit in which people think of limits. */
const QUOTA_WINDOW_SECONDS = 60;

/** A service, or the people behind one address over all projects: 100 requests a second. */
export const ADDRESS_REQUESTS_PER_MINUTE = 6_000;

/**
 * One address with a publishable key, which every copy of an app holds: 200 sign-ins of three requests, or ten people whose apps
 * ask once a second, as a school or an office behind one address needs at its busiest.
 */
export const APP_ADDRESS_REQUESTS_PER_MINUTE = 600;
/**
 * Of a key's own limit, where that is less: twenty addresses that flood leave a fifth of the key to everybody else. At the default
 * of 6 000 it is 240, or 80 sign-ins a minute.
 */
export const APP_ADDRESS_SHARE = 1 / 25;
/** One person who signs in, whatever the key may. */
const APP_ADDRESS_REQUESTS_MIN = 10;

export const appAddressLimit = (keyPerMinute: number): number =>
  Math.min(
    APP_ADDRESS_REQUESTS_PER_MINUTE,
    Math.max(APP_ADDRESS_REQUESTS_MIN, Math.floor(keyPerMinute * APP_ADDRESS_SHARE)),
  );

/** Wrong keys from one address: a service that was given a wrong key tries a few times, a guesser thousands. */
export const FAILED_AUTHENTICATIONS_PER_MINUTE = 30;

/** One session: a person taps, and an app that polls for a challenge asks once a second. */
export const PERSON_REQUESTS_PER_MINUTE = 120;

/** One session of staff: a program that reads every account of a day's batch page by page, ten at a time. */
export const STAFF_REQUESTS_PER_MINUTE = 600;

/** Without any key, from one address: a household that signs in, or binds its devices, needs a few dozen. */
export const OPEN_REQUESTS_PER_MINUTE = 300;

/**
 * Reports of providers, from one address: many times what a provider sends for the busiest project, and few enough that whoever
 * forges them can't keep us busy with checking signatures.
 */
export const CALLBACKS_PER_MINUTE = 60_000;

/** Answers with a signature that does not hold, from one device: a fault of an app shows in one, a forger needs more than there are. */
export const FORGED_ANSWERS_PER_MINUTE = 10;

/**
 * Codes that anybody may ask for, from one address for one project: a household or an office signs in a few dozen times an hour,
 * while whoever pumps a project's SMS budget asks hundreds of times.
 */
export const CODES_PER_ADDRESS_PER_HOUR = 30;
const CODES_WINDOW_SECONDS = 3_600;

/** Of one person: each reads all their transfers. A person who doubts their balance asks a few times. */
export const RECOMPUTED_BALANCES_PER_MINUTE = 6;

/** A limit that a request counts against. Its name is what `RateLimit-Policy` calls it. */
export interface Quota {
  readonly name:
    | 'key'
    | 'address'
    | 'session'
    | 'open'
    | 'codes'
    | 'failed-authentication'
    | 'forged-answer'
    | 'promo-code'
    | 'recomputed-balance'
    | 'callbacks';
  /** Whom it counts for: the id of a key, a session or a device, or an address. */
  readonly subject: string;
  readonly limit: number;
  /** Where it is not `QUOTA_WINDOW_SECONDS`. */
  readonly windowSeconds?: number;
  /** It protects codes or passwords: where the count of all processes can't be had, the request is refused. */
  readonly failsClosed?: true;
}

export const windowSecondsOf = ({ windowSeconds }: Quota): number => windowSeconds ?? QUOTA_WINDOW_SECONDS;

const codesWindow = { windowSeconds: CODES_WINDOW_SECONDS, failsClosed: true } as const;

/** Codes for one project from one address. */
export const codesQuota = (subject: string): Quota => ({
  name: 'codes',
  subject,
  limit: CODES_PER_ADDRESS_PER_HOUR,
  ...codesWindow,
});

/** Where a request stands in its window. */
export interface Taken {
  /** Counting this request, which is refused when it is above the limit. */
  readonly taken: number;
  readonly resetMs: number;
}

/** The count over all processes can't be had now, and what it protects is not done without it. Nothing was counted. */
export class CountUnavailable extends Error {
  override readonly name = 'CountUnavailable';

  constructor() {
    super('the shared count of a limit can not be had');
  }
}

/**
 * Counts over all processes. Without Redis each process goes on from what it was last told, and a quota that fails closed
 * throws `CountUnavailable` instead.
 */
export interface QuotaCounter {
  /**
   * Counts a request against these, the narrowest first, all in one round trip. The first that is exceeded is the last that is told
   * of: who is over a narrow limit uses up no wider one.
   */
  take(quotas: Quotas): Promise<readonly [Taken, ...Taken[]]>;
}

export type Quotas = readonly [Quota, ...Quota[]];

/** Where a request stands that counts against these. */
export async function takeAll(counter: QuotaCounter, quotas: Quotas): Promise<QuotaState> {
  const taken = await counter.take(quotas);
  const [first, ...others] = taken.map((each, n) => quotaState(quotas[n] ?? quotas[0], each));
  if (first === undefined) throw new Error('a counter told of no quota');
  return tightest([first, ...others]);
}

export interface QuotaState {
  readonly quota: Quota;
  readonly remaining: number;
  readonly exceeded: boolean;
  readonly resetSeconds: number;
}

export function quotaState(quota: Quota, { taken, resetMs }: Taken): QuotaState {
  return {
    quota,
    remaining: Math.max(0, quota.limit - taken),
    exceeded: taken > quota.limit,
    // Rounded up: a client that comes back a moment early would only be refused again.
    resetSeconds: Math.max(1, Math.ceil(resetMs / 1_000)),
  };
}

/** The limit that binds first: an exceeded one before any other, else the one with the least left, and of two alike the wider, which stands later. */
export function tightest(states: readonly [QuotaState, ...QuotaState[]]): QuotaState {
  return states.reduce((least, state) => {
    if (state.exceeded !== least.exceeded) return state.exceeded ? state : least;
    return state.remaining <= least.remaining ? state : least;
  });
}
