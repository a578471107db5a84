/** Rows of one answer: enough for a screen, and a bounded read. */
export const PAGE_ROWS_MAX = 100;
export const PAGE_ROWS_DEFAULT = 50;

/** Newest first. `after` is the id of the last row of the page before: ids are UUIDv7, so that they order by time. */
export interface PageOrder {
  readonly limit: number;
  readonly after: string | null;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** The id to go on after; null on the last page. */
  readonly next: string | null;
}

/** Makes a page of rows that were read with one more than `limit`, which tells whether another page follows. */
export function pageOf<Row extends { readonly id: string }>(rows: readonly Row[], limit: number): Page<Row> {
  const shown = rows.slice(0, limit);
  return { rows: shown, next: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
}
