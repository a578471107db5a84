import { z } from 'zod';
import { PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, type Page, type PageOrder } from '../../domain/shared/page.ts';

const UUID_BYTES = 16;

/** Opaque to callers: the id of the last row they saw, in 22 characters. */
const Cursor = z
  .string()
  .refine((text) => /^[A-Za-z0-9_-]{22}$/.test(text), {
    error: 'expected the next_cursor of an earlier answer',
  })
  .meta({ description: '`next_cursor` of the page before.', example: 'AZjzoAAAcACAAAAAAAAAAQ' });

/** The query parameters of every list. */
export const pageQuery = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(PAGE_ROWS_MAX)
    .default(PAGE_ROWS_DEFAULT)
    .meta({ description: 'Rows of the page.' }),
  cursor: Cursor.optional(),
};

export function pageOrder({ limit, cursor }: { limit: number; cursor?: string | undefined }): PageOrder {
  return { limit, after: cursor === undefined ? null : idOf(cursor) };
}

/** `{ data, next_cursor }`, newest first. */
export function pageBody<Row>(page: Page<Row>, write: (row: Row) => unknown) {
  return { data: page.rows.map(write), next_cursor: page.next === null ? null : cursorOf(page.next) };
}

export function pageSchema<Row extends z.ZodType>(row: Row) {
  return z.object({
    data: z.array(row),
    next_cursor: z
      .string()
      .nullable()
      .meta({ description: 'Send it as `cursor` for the next page; null on the last.' }),
  });
}

const cursorOf = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');

function idOf(cursor: string): string {
  const hex = Buffer.from(cursor, 'base64url')
    .toString('hex')
    .padStart(2 * UUID_BYTES, '0');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
