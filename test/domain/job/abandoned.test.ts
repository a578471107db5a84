import { expect, test } from 'vitest';
import { isAbandoned } from '../../../domain/job/abandoned.ts';

const takenAt = new Date('2026-01-15T10:00:00Z');
const openedBefore = (ms: number) => new Date(takenAt.getTime() - ms);

test('an attempt is abandoned once it is as old as the lock of a queue entry, and not a millisecond before', () => {
  expect(isAbandoned(openedBefore(5_000), takenAt)).toBe(true);
  expect(isAbandoned(openedBefore(4_999), takenAt)).toBe(false);
});

test('no attempt, and one that was opened after the entry was taken, are nobody’s to close', () => {
  expect(isAbandoned(null, takenAt)).toBe(false);
  expect(isAbandoned(openedBefore(-60_000), takenAt)).toBe(false);
});
