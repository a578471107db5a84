import type { EncryptedColumn } from '../../engine/encrypted-column.ts';

/** Of links, until they have left. */
export const encryptedLinks: EncryptedColumn = { table: 'payout_link', column: 'token_encrypted' };
