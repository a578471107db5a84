/** Length of the window in which requests are counted: the unit in which people think of limits. */
export const QUOTA_WINDOW_SECONDS = 60;

/** One address with one project: 100 requests a second is more than a phone, or a household behind one address, ever needs. */
export const ADDRESS_REQUESTS_PER_MINUTE = 6_000;

/** Wrong keys from one address: a service that was given a wrong key tries a few times, a guesser thousands. */
export const FAILED_AUTHENTICATIONS_PER_MINUTE = 30;

/** One session: a person taps, and an app that polls for a challenge asks once a second. */
export const PERSON_REQUESTS_PER_MINUTE = 120;

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
    | 'callbacks';
  /** Whom it counts for: the id of a key, a session or a device, or an address. */
  readonly subject: string;
  readonly limit: number;
  /** Where it is not `QUOTA_WINDOW_SECONDS`. */
  readonly windowSeconds?: number;
}

export const windowSecondsOf = ({ windowSeconds }: Quota): number => windowSeconds ?? QUOTA_WINDOW_SECONDS;

export const codesQuota = (subject: string): Quota => ({
  name: 'codes',
  subject,
  limit: CODES_PER_ADDRESS_PER_HOUR,
  windowSeconds: CODES_WINDOW_SECONDS,
});

/** Where a request stands in its window. */
export interface Taken {
  /** Counting this request, which is refused when it is above the limit. */
  readonly taken: number;
  readonly resetMs: number;
}

/** Counts over all processes where it can, over this one where it must; it never fails and never keeps a request waiting. */
export interface QuotaCounter {
  take(quota: Quota): Promise<Taken>;
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

/** The limit that binds first: an exceeded one before any other, else the one with the least left. */
export function tightest(states: readonly [QuotaState, ...QuotaState[]]): QuotaState {
  return states.reduce((least, state) => {
    if (state.exceeded !== least.exceeded) return state.exceeded ? state : least;
    return state.remaining < least.remaining ? state : least;
  });
}
