import { describe, expect, test } from 'vitest';
import {
  decayed,
  isPrefixBlocked,
  prefixBlockedUntil,
  type PrefixScore,
  scoredPrefix,
} from '../../../domain/verify/fraud.ts';

const now = new Date('2026-01-15T10:00:00Z');
const hours = (count: number) => new Date(now.getTime() + count * 3_600_000);
const score = (sent: number, verified: number, at = now): PrefixScore => ({ sent, verified, at });

describe('a prefix is blocked', () => {
  test('from ten codes of which less than a tenth was verified', () => {
    expect(isPrefixBlocked(score(10, 0), now)).toBe(true);
    expect(isPrefixBlocked(score(9.99, 0), now)).toBe(false);
    expect(isPrefixBlocked(score(10, 1), now)).toBe(false);
    expect(isPrefixBlocked(score(1_000, 99), now)).toBe(true);
    expect(isPrefixBlocked(score(1_000, 100), now)).toBe(false);
  });

  test('for as long as half of its codes an hour leave ten, and the moment is told', () => {
    expect(prefixBlockedUntil(score(80, 0), now)).toEqual(hours(3));
    expect(isPrefixBlocked(score(80, 0), hours(3))).toBe(true);
    expect(isPrefixBlocked(score(80, 0), new Date(hours(3).getTime() + 1_000))).toBe(false);
    expect(prefixBlockedUntil(score(80, 8), now)).toBeNull();
    expect(prefixBlockedUntil(score(9, 0), now)).toBeNull();
  });

  test('until the same moment, whenever it is asked', () => {
    for (const at of [0, 0.5, 1, 2.9])
      expect(prefixBlockedUntil(decayed(score(80, 0), hours(at)), hours(at))?.getTime()).toBeCloseTo(
        hours(3).getTime(),
        -2,
      );
  });
});

test('counts are halved each hour, and a clock that goes back makes none larger', () => {
  expect(decayed(score(8, 4), hours(2))).toEqual(score(2, 1, hours(2)));
  expect(decayed(score(8, 4), hours(-2))).toMatchObject({ sent: 8, verified: 4 });
});

test('what strangers pump blocks no service, and nobody who calls from where codes were right', () => {
  const prefix = '+99890123';
  expect(scoredPrefix(prefix, 'service')).toBe(prefix);
  expect(scoredPrefix(prefix, 'stranger')).not.toBe(prefix);
  expect(scoredPrefix(prefix, 'known')).toBeNull();
  expect(scoredPrefix(null, 'service')).toBeNull();
  expect(scoredPrefix(null, 'stranger')).toBeNull();
});
