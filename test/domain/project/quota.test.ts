import { describe, expect, test } from 'vitest';
import {
  appAddressLimit,
  type Quota,
  type QuotaCounter,
  quotaState,
  takeAll,
  tightest,
} from '../../../domain/project/quota.ts';

describe('a quota', () => {
  const quota = (limit: number): Quota => ({ name: 'key', subject: 'k', limit });

  test('is exceeded by the request after the last, not by the last', () => {
    expect(quotaState(quota(3), { taken: 3, resetMs: 1 })).toMatchObject({
      exceeded: false,
      remaining: 0,
      resetSeconds: 1,
    });
    expect(quotaState(quota(3), { taken: 4, resetMs: 1_001 })).toMatchObject({
      exceeded: true,
      remaining: 0,
      resetSeconds: 2,
    });
  });

  test('that is exceeded binds before one that has less left', () => {
    const spent = quotaState(quota(1), { taken: 1, resetMs: 1 });
    const exceeded = quotaState({ ...quota(1), name: 'address' }, { taken: 2, resetMs: 1 });
    const roomy = quotaState(quota(100), { taken: 1, resetMs: 1 });
    expect(tightest([roomy, spent])).toBe(spent);
    expect(tightest([spent, exceeded])).toBe(exceeded);
    expect(tightest([exceeded, spent])).toBe(exceeded);
  });

  test('never has its client come back a moment early: a started second counts whole', () => {
    for (const [resetMs, resetSeconds] of [
      [0, 1],
      [1, 1],
      [1_000, 1],
      [1_001, 2],
      [59_999, 60],
    ] as const)
      expect(quotaState(quota(1), { taken: 1, resetMs }).resetSeconds).toBe(resetSeconds);
  });

  test('of two alike, the wider one is told of', () => {
    const narrow = quotaState(quota(1), { taken: 1, resetMs: 1 });
    const wide = quotaState({ ...quota(10), name: 'address' }, { taken: 10, resetMs: 1 });
    expect(tightest([narrow, wide])).toBe(wide);
  });
});

describe('a request that counts against several', () => {
  const quotas: [Quota, Quota] = [
    { name: 'address', subject: 'a', limit: 2 },
    { name: 'key', subject: 'k', limit: 10 },
  ];
  const counting = (...taken: [number, ...number[]]): QuotaCounter => ({
    take: async () => taken.map((each) => ({ taken: each, resetMs: 1 })) as never,
  });

  test('is told by the one that was exceeded, though the counter tells of none behind it', async () => {
    expect(await takeAll(counting(3), quotas)).toMatchObject({ exceeded: true, quota: quotas[0] });
    expect(await takeAll(counting(1, 11), quotas)).toMatchObject({ exceeded: true, quota: quotas[1] });
    expect(await takeAll(counting(1, 10), quotas)).toMatchObject({ exceeded: false, remaining: 0 });
  });
});

test('an address with a publishable key has a 25th of the key, 10 at least and 600 at most', () => {
  for (const [key, limit] of [
    [1, 10],
    [250, 10],
    [275, 11],
    [6_000, 240],
    [15_000, 600],
    [1e7, 600],
  ] as const)
    expect(appAddressLimit(key)).toBe(limit);
});
