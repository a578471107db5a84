/** Whose wrong checks are counted together, beside the verification's own and the destination's, which Postgres counts. */
export interface Guesser {
  /** The end user's address, as the service saw it or, for an app's own call, as we did; null when nobody said. */
  readonly client: string | null;
  readonly keyId: string;
  readonly projectId: string;
}

/** Wrong checks are counted in this window. */
export const FAILURE_WINDOW_SECONDS = 600;

/** An honest person mistypes a few times; a guesser needs thousands. Keys and projects stand for many people each. */
export const FAILURES_MAX = { client: 30, key: 10_000, project: 20_000 } as const;

export interface FailureGate {
  /** Seconds until checks are taken again, or null when they are now. */
  blockedSeconds(guesser: Guesser): Promise<number | null>;
  count(guesser: Guesser): Promise<void>;
}
