import type pg from 'pg';
import type { Seal } from '../../../process/crypto.ts';

/** A token whose key was retired is no address, and must not keep other jobs of its batch from theirs. */
export function openPushToken(seal: Seal, sealed: Buffer, recipientId: string): string | null {
  try {
    return seal.open(sealed, recipientId);
  } catch {
    return null;
  }
}

/** Takes a token away that its provider calls dead; one that the recipient was given meanwhile stays. */
export async function forgetPushToken(
  { pool, seal }: { readonly pool: pg.Pool; readonly seal: Seal },
  recipientId: string,
  token: string,
): Promise<void> {
  const { rows } = await pool.query<{ push_token_sealed: Buffer | null }>(
    'select push_token_sealed from recipient where id = $1',
    [recipientId],
  );
  const sealed = rows[0]?.push_token_sealed;
  if (!sealed || openPushToken(seal, sealed, recipientId) !== token) return;
  // As it was read: a seal is never made twice alike, so that a newer one is not met.
  await pool.query(
    'update recipient set push_token_sealed = null, push_token_hash = null where id = $1 and push_token_sealed = $2',
    [recipientId, sealed],
  );
}
