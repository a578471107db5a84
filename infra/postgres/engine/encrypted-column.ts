/** Holds values that are encrypted and bound to the key of their row. */
export interface EncryptedColumn {
  readonly table: string;
  readonly column: string;
  /** The key of the table, a uuid; `id` where it is not said. */
  readonly key?: string;
}
