import type pg from 'pg';
import { type Encryption, MissingKeyError } from '../../../process/crypto.ts';

/**
 * Null where the token is damaged.
 *
 * @throws MissingKeyError: a process that has the key opens it, so that nobody may end a push for it.
 */
export function openPushToken(encryption: Encryption, encrypted: Buffer, boundTo: string): string | null {
  try {
    return encryption.decrypt(encrypted, boundTo);
  } catch (error) {
    if (error instanceof MissingKeyError) throw error;
    return null;
  }
}

/** Null where this process can't open it, for whatever reason: a code does not wait, and goes over its next channel. */
export function pushTokenOrNone(
  encryption: Encryption,
  encrypted: Buffer,
  recipientId: string,
): string | null {
  try {
    return encryption.decrypt(encrypted, recipientId);
  } catch {
    return null;
  }
}

/** Takes a token away that its provider calls dead; one that the recipient was given meanwhile stays. */
export async function forgetPushToken(
  { pool, encryption }: { readonly pool: pg.Pool; readonly encryption: Encryption },
  recipientId: string,
  token: string,
): Promise<void> {
  const { rows } = await pool.query<{ push_token_encrypted: Buffer | null }>(
    'select push_token_encrypted from recipient where id = $1',
    [recipientId],
  );
  const encrypted = rows[0]?.push_token_encrypted;
  if (!encrypted || pushTokenOrNone(encryption, encrypted, recipientId) !== token) return;
  // As it was read: an encryption is never made twice alike, so that a newer one is not met.
  await pool.query(
    'update recipient set push_token_encrypted = null, push_token_hash = null where id = $1 and push_token_encrypted = $2',
    [recipientId, encrypted],
  );
}
