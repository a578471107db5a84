import { expect, test } from 'vitest';
import { outage } from '../../../infra/process/outage.ts';

test('an outage is told at its start, once a minute and at its end, for all that suffer from it together', () => {
  let nowMs = 5_000;
  const told: unknown[] = [];
  const { lost, back } = outage(
    {
      lost: (error, times) => told.push(['lost', error, times]),
      back: (awayMs, times) => told.push(['back', awayMs, times]),
    },
    () => nowMs,
  );
  back('a');
  lost('a', 'first');
  lost('b', 'second');
  nowMs += 59_999;
  lost('a', 'third');
  expect(told).toEqual([['lost', 'first', 1]]);
  nowMs += 1;
  lost('b', 'fourth');
  back('a');
  expect(told.splice(0)).toEqual([
    ['lost', 'first', 1],
    ['lost', 'fourth', 4],
  ]);
  nowMs += 1_000;
  back('b');
  back('b');
  lost('a', 'another');
  expect(told).toEqual([
    ['back', 61_000, 4],
    ['lost', 'another', 1],
  ]);
});
