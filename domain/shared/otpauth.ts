import { generateURI, ScureBase32Plugin } from 'otplib';

/** What an authenticator app shows over its codes. */
const ISSUER = 'Navbat';

const plugin = new ScureBase32Plugin();

/** RFC 4648 §6 without padding: how a secret is shown to people and to apps. */
export const base32 = (bytes: Uint8Array): string => plugin.encode(bytes);

/** The bytes of what `base32` shows. @throws where it is not base32. */
export const fromBase32 = (text: string): Uint8Array => plugin.decode(text);

/**
 * What an authenticator app reads from a QR code, by Google's Key Uri Format. Algorithm, digits and period are its
 * defaults, SHA-1, six and 30 s, and some apps take no others.
 */
export const otpauthUri = (account: string, secret: Uint8Array): string =>
  generateURI({ issuer: ISSUER, label: account, secret: base32(secret) });
