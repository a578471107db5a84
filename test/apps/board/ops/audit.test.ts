import { expect, test } from 'vitest';
import { ids, openOps } from './open-ops.ts';

const { operator } = await openOps();

test('the audit is paged without losing or repeating a line', async () => {
  const seen: string[] = [];
  let cursor = '';
  for (let n = 0; n < 3; n++) await operator.post('/ops/queues/otp-send/pause', { why: 'a test' });
  do {
    const page = await operator.json(`/ops/audit?limit=2&action=queue.pause&cursor=${cursor}`);
    seen.push(...ids(page));
    cursor = page.next_cursor;
  } while (cursor);
  expect(seen).toEqual(seen.toSorted((a, b) => Number(b) - Number(a)));
  expect(new Set(seen).size).toBe(3);
});
