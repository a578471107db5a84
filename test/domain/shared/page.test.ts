import { expect, test } from 'vitest';
import { pageOf } from '../../../domain/shared/page.ts';

const rows = (count: number) => Array.from({ length: count }, (_, n) => ({ id: `r${n + 1}` }));

test('a page is followed by another only where one row more than it holds was read', () => {
  expect(pageOf(rows(3), 2)).toEqual({ rows: rows(2), next: 'r2' });
  expect(pageOf(rows(2), 2)).toEqual({ rows: rows(2), next: null });
  expect(pageOf([], 2)).toEqual({ rows: [], next: null });
});

test('whoever follows `next` meets every row once', () => {
  for (const limit of [1, 2, 3, 7, 8]) {
    const all = rows(7);
    const seen: { id: string }[] = [];
    for (let after: string | null = '', from = 0; after !== null;) {
      const page: ReturnType<typeof pageOf<{ id: string }>> = pageOf(
        all.slice(from, from + limit + 1),
        limit,
      );
      seen.push(...page.rows);
      after = page.next;
      from = all.findIndex(({ id }) => id === after) + 1;
    }
    expect(seen).toEqual(all);
  }
});
