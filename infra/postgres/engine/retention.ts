import type pg from 'pg';

const DAY_MS = 86_400_000;
export const daysBefore = (now: Date, days: number): Date => new Date(now.getTime() - days * DAY_MS);

/** What test keys made: long enough to look at a failed run of yesterday, and so short that a test suite fills no disk. */
export const TEST_KEPT_DAYS = 1;
/** 4 MB of a table in one round, a minute apart: some milliseconds each, and 5 GB a day. */
const WALKED_PAGES = 512;
const DELETED_ROWS_MAX = 5_000;

export interface Keep {
  readonly jobDays: number;
  /** How long a person's number is kept after what it was for has ended. */
  readonly phoneDays: number;
}

/** What a context no longer keeps of its own tables. */
export interface Retention {
  /**
   * Each takes up to `$2` rows older than `$1` in one statement. It finds them by an index and deletes them one by one: `in (select …)`
   * would be joined by reading the whole table, in each round again.
   */
  readonly rules: readonly { readonly sql: string; readonly before: (now: Date, keep: Keep) => Date }[];
  /**
   * Tables whose rows are written with every send, so that an index on their age would cost each of those: a walk over the table's
   * pages in turn finds what is old within days, and nobody waits for it. `isIdle` asks of a row whether it is, with `$1` as time.
   */
  readonly walks?: readonly Walk[];
}
export interface Walk {
  readonly table: string;
  readonly isIdle: string;
  readonly before: (now: Date) => Date;
}

export interface Retired {
  readonly rows: number;
  /** The round was full: there is more than it could take. */
  readonly more: boolean;
}

/** @returns a round; any number of processes may run one at a time. */
export function retirement(
  pool: pg.Pool,
  retentions: readonly Retention[],
): (now: Date, keep: Keep) => Promise<Retired> {
  const walked = new Map<string, number>();
  return async (now, keep) => {
    const counts: number[] = [];
    for (const { sql, before } of retentions.flatMap(({ rules }) => rules))
      counts.push((await pool.query(sql, [before(now, keep), DELETED_ROWS_MAX])).rowCount ?? 0);
    const more = counts.some((rows) => rows >= DELETED_ROWS_MAX);
    for (const walk of retentions.flatMap(({ walks = [] }) => walks))
      counts.push(await walkOn(pool, walked, walk, now));
    return { rows: counts.reduce((sum, rows) => sum + rows, 0), more };
  };
}

async function walkOn(
  pool: pg.Pool,
  walked: Map<string, number>,
  { table, isIdle, before }: Walk,
  now: Date,
): Promise<number> {
  const from = walked.get(table) ?? 0;
  const { rowCount } = await pool.query(deleteIdle(table, isIdle), [
    before(now),
    `(${from},0)`,
    `(${from + WALKED_PAGES},0)`,
  ]);
  const { rows } = await pool.query<{ pages: number }>(
    `select (pg_relation_size($1::regclass) / current_setting('block_size')::int)::int pages`,
    [table],
  );
  const next = from + WALKED_PAGES;
  walked.set(table, next < (rows[0]?.pages ?? 0) ? next : 0);
  return rowCount ?? 0;
}

/** A row that a send holds at this moment is not idle. */
const deleteIdle = (table: string, isIdle: string) => `
delete from ${table} where ctid = any(array(
  select ctid from ${table} where ctid >= $2::tid and ctid < $3::tid and ${isIdle} for update skip locked))`;
