import { expect, test } from 'vitest';
import { z } from 'zod';
import { pageBody, pageOrder, pageQuery } from '../../../apps/http/page.ts';

const query = z.object(pageQuery);
const ids = [
  '00000000-0000-0000-0000-000000000000',
  '01990000-0000-7000-8000-000000000001',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
];

test('the cursor of a page leads to the row after its last, whatever its id', () => {
  for (const id of ids) {
    const { next_cursor } = pageBody({ rows: [], next: id }, (row) => row);
    expect(pageOrder(query.parse({ cursor: next_cursor }))).toEqual({ limit: 50, after: id });
  }
  expect(pageBody({ rows: [1], next: null }, (row) => row)).toEqual({ data: [1], next_cursor: null });
});

test('a cursor that we never gave is refused', () => {
  for (const cursor of [
    '',
    'x',
    'A'.repeat(21),
    'A'.repeat(23),
    `${'A'.repeat(21)}=`,
    ids[1],
    `${'A'.repeat(21)}'`,
  ])
    expect(query.safeParse({ cursor }).success, cursor).toBe(false);
});

test('a page has 1 to 100 rows, and 50 where nobody says', () => {
  for (const limit of ['1', '100']) expect(query.safeParse({ limit }).success).toBe(true);
  for (const limit of ['0', '101', '-1', '1.5', 'x'])
    expect(query.safeParse({ limit }).success, limit).toBe(false);
  expect(pageOrder(query.parse({}))).toEqual({ limit: 50, after: null });
});
