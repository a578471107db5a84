import { describe, expect, test } from 'vitest';
import {
  type Block,
  blockOf,
  decayed,
  DEVICE_SAMPLE_MIN,
  IP_SAMPLE_MIN,
  type RiskScores,
  type Score,
  scoredPrefix,
} from '../../../domain/verify/fraud.ts';

const now = new Date('2026-01-15T10:00:00Z');
const hours = (count: number) => new Date(now.getTime() + count * 3_600_000);
const score = (sent: number, verified: number, at = now): Score => ({ sent, verified, at });
const none: RiskScores = { prefix: null, ip: null, device: null };
const block = (scores: Partial<RiskScores>, isTrusted = false, at = now): Block | null =>
  blockOf({ ...none, ...scores }, isTrusted, at);
const isBlocked = (...args: Parameters<typeof block>) => block(...args) !== null;
const prefixed = (sent: number, verified: number) => ({ prefix: score(sent, verified) });

describe('a prefix is blocked', () => {
  test('from ten codes of which less than a tenth was verified', () => {
    expect(block(prefixed(10, 0))?.reason).toBe('prefix-blocked');
    expect(isBlocked(prefixed(9.99, 0))).toBe(false);
    expect(isBlocked(prefixed(10, 1))).toBe(false);
    expect(isBlocked(prefixed(1_000, 99))).toBe(true);
    expect(isBlocked(prefixed(1_000, 100))).toBe(false);
  });

  test('for as long as half of its codes an hour leave ten, and the moment is told', () => {
    expect(block(prefixed(80, 0))?.until).toEqual(hours(3));
    expect(isBlocked(prefixed(80, 0), false, hours(3))).toBe(true);
    expect(isBlocked(prefixed(80, 0), false, new Date(hours(3).getTime() + 1_000))).toBe(false);
  });

  test('until the same moment, whenever it is asked', () => {
    for (const at of [0, 0.5, 1, 2.9])
      expect(
        block({ prefix: decayed(score(80, 0), hours(at)) }, false, hours(at))?.until.getTime(),
      ).toBeCloseTo(hours(3).getTime(), -2);
  });
});

describe('factors add up', () => {
  test('an address alone blocks from fifty numbers on, and not one before', () => {
    expect(block({ ip: score(IP_SAMPLE_MIN, 0) })).toEqual({
      reason: 'risk-blocked',
      until: now,
      factors: [{ factor: 'ip', sent: IP_SAMPLE_MIN, verified: 0, risk: 1 }],
    });
    expect(isBlocked({ ip: score(IP_SAMPLE_MIN - 1, 0) })).toBe(false);
    expect(isBlocked({ ip: score(10_000, 1_000) })).toBe(false);
  });

  test('a device never blocks alone, whatever was sent by it: a service may send one id for everybody', () => {
    expect(isBlocked({ device: score(1e9, 0) })).toBe(false);
  });

  test('a device that nobody verifies makes half of what the others need enough', () => {
    const device = score(DEVICE_SAMPLE_MIN, 0);
    expect(isBlocked({ device, ...prefixed(5, 0) })).toBe(true);
    expect(isBlocked({ device, ip: score(IP_SAMPLE_MIN / 2, 0) })).toBe(true);
    // Less than half of a sample is no evidence, whatever else there is.
    expect(isBlocked({ device, ...prefixed(4.99, 0), ip: score(IP_SAMPLE_MIN / 2 - 0.01, 0) })).toBe(false);
  });

  test('a block names each factor that made it up, and no other, with what was counted', () => {
    const made = block({ prefix: score(6, 0), ip: score(30, 1), device: score(400, 200) });
    expect(made?.reason).toBe('risk-blocked');
    expect(made?.factors).toEqual([
      { factor: 'prefix', sent: 6, verified: 0, risk: 0.6 },
      { factor: 'ip', sent: 30, verified: 1, risk: 0.6 },
    ]);
  });

  test('a sum ends as soon as it falls below one, by the decay of all of it', () => {
    const scores = { prefix: score(10, 0), ip: score(IP_SAMPLE_MIN, 0) };
    // Both at half an hour's 0.707: 1.41. At an hour both at 0.5, the last moment that either counts.
    expect(block(scores)?.until).toEqual(hours(1));
    expect(isBlocked(scores, false, new Date(hours(1).getTime() + 1_000))).toBe(false);
  });
});

describe('a client that the service vouches for', () => {
  test('passes a block of the prefix alone, and one of the address alone, however much was pumped', () => {
    expect(isBlocked(prefixed(1e6, 0), true)).toBe(false);
    expect(isBlocked({ ip: score(1e6, 0) }, true)).toBe(false);
    expect(isBlocked({ ...prefixed(1e6, 0), device: score(1e6, 0) }, true)).toBe(false);
  });

  test('is blocked where both are pumped: a service that vouches for everybody has vouched for nobody', () => {
    expect(block({ ...prefixed(10, 0), ip: score(IP_SAMPLE_MIN, 0) }, true)).toMatchObject({
      reason: 'risk-blocked',
      factors: [
        { factor: 'prefix', risk: 0.5 },
        { factor: 'ip', risk: 0.5 },
      ],
    });
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
