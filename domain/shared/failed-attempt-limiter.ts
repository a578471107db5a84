/** Whose wrong checks are counted together, beside the verification's own and the destination's, which Postgres counts. */
export interface Guesser {
  /**
   * The end user, as the service saw it or, for an app's own call, as we did: an address with the nets around it, or a
   * Telegram account. Empty when nobody said.
   */
  readonly clients: readonly GuessingClient[];
  /**
   * A service that asks with a secret key. Null where anybody can ask (a publishable key, the bot, no key): strangers would
   * block everybody else's checks with wrong ones of their own.
   */
  readonly keyId: string | null;
  readonly projectId: string;
}

export interface GuessingClient {
  readonly subject: string;
  /** How many times as much as from one address; a net holds many. */
  readonly times: number;
}

/** Wrong checks are counted in this window. */
export const FAILURE_WINDOW_SECONDS = 600;

/**
 * An honest person mistypes a few times; a guesser needs thousands. Behind one address (a school, a mobile carrier) 30 wrong
 * ones in ten minutes are about 600 sign-ins where each twentieth code is mistyped. A service stands for many people.
 */
export const FAILURES_MAX = { client: 30, key: 10_000, project: 20_000 } as const;

/**
 * Counts each check as wrong before it is made, so that a hundred sent at once count as a hundred; `forgive` takes the count
 * back where it was right.
 *
 * It fails closed: without the count over all processes nothing is checked (`CountUnavailable`).
 */
export interface FailedAttemptLimiter {
  /** Seconds until checks are taken again, or null when they are now. What is blocked is not counted. */
  enter(guesser: Guesser): Promise<number | null>;
  forgive(guesser: Guesser): void;
}
