import type { EncryptedColumn } from '../../engine/encrypted-column.ts';

/** Files of payment orders. */
export const encryptedFiles: EncryptedColumn = {
  table: 'bank_file',
  column: 'content_encrypted',
  key: 'dispatch_id',
};
