import { acceptedSteps, totpCode } from '../../../domain/shared/totp.ts';
import { type Encryption, sameText } from '../../process/crypto.ts';

/** The step whose code this is now, whether or not it was taken before. */
export const stepOf = (secret: Uint8Array, code: string, now: Date): number | null =>
  acceptedSteps(now).find((step) => sameText(totpCode(secret, step), code)) ?? null;

export const openSecret = (encryption: Encryption, encrypted: Uint8Array, staffId: string): Uint8Array =>
  Buffer.from(encryption.decrypt(Buffer.from(encrypted), staffId), 'base64url');
