/**
 * Passwords from one address block, and as many second factors: a person mistypes a few times, a guesser spreads over
 * accounts to get round their locks.
 */
export const LOGINS_PER_MINUTE = 10;
