import type { EncryptedColumn } from '../../engine/encrypted-column.ts';

/** The rail's tokens. */
export const encryptedTokens: EncryptedColumn = { table: 'payout_destination', column: 'token_encrypted' };
