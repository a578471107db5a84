/** Holds values that are encrypted and bound to the `id` of their row. */
export interface EncryptedColumn {
  readonly table: string;
  readonly column: string;
}
