import { scryptSync } from 'node:crypto';

const LABEL = 'navbat play-mobile reports v1';
const TOKEN_BYTES = 32;

/**
 * What makes the address of Play Mobile's reports unguessable: the broker signs nothing. It is scrypt's of the account's password, so
 * that who finds the address in some log can't try passwords against it at a useful pace. A new password means a new address.
 */
export const reportsToken = (password: string): string =>
  scryptSync(password, LABEL, TOKEN_BYTES).toString('base64url');

/** The address to agree with the broker; in its query the token stays out of our own logs. @param publicUrl where providers reach our callbacks. */
export const reportsAddress = (publicUrl: string, password: string): string =>
  `${publicUrl}/callbacks/play-mobile?token=${reportsToken(password)}`;
