import type { EncryptedColumn } from './engine/encrypted-column.ts';
import { encryptedFiles } from './pay/bank-file/encrypted.ts';
import { encryptedLinks } from './pay/list/encrypted.ts';
import { encryptedTokens } from './pay/payout/encrypted.ts';

/** What products keep encrypted, for when its key changes: one line each. */
export const encryptedColumns: readonly EncryptedColumn[] = [
  // Of destinations.
  encryptedTokens,
  // Of links that have not left yet.
  encryptedLinks,
  // Of banks.
  encryptedFiles,
];
