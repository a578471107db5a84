import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { meterSession, type Report } from '../../../../domain/earn/traffic/meter.ts';
import { closableDay, closesAt } from '../../../../domain/earn/day/day.ts';
import { reasonSentence } from '../../../../domain/earn/traffic/words.ts';
import { at, MB, meter, PAY, report, START } from './session.ts';

const only = (days: ReturnType<typeof meter>['days']) => {
  expect(days).toHaveLength(1);
  return days[0] as (typeof days)[number];
};
const flawsOf = ({ flawed }: ReturnType<typeof meter>) => flawed.map(({ seq, flaw }) => [seq, flaw]);

describe('a session', () => {
  test('earns for what its counter grew, in the direction of either', () => {
    const { days, flawed } = meter([
      report(0, 1, 10n * MB),
      report(1, 2, 30n * MB),
      report(2, 3, 30n * MB, { up: 10n * MB }),
    ]);
    expect(only(days)).toEqual({
      day: '2026-11-30',
      bytes: 40n * MB,
      payable: 40n * MB,
      tiyinPerMb: 150,
      micros: 60_000_000n,
      gatewayBytes: null,
      verdict: 'pay',
      reason: null,
      unpaid: [],
    });
    expect(flawed).toEqual([]);
  });

  test('is rounded down once a day, and not at each report: 1 000 reports of 667 bytes earn as one of 667 000', () => {
    const many = Array.from({ length: 1_000 }, (_, n) => report(n, 1 + n / 10, 667n * BigInt(n + 1)));
    expect(only(meter(many).days).micros).toBe(1_000_500n);
    expect(only(meter([report(0, 101, 667_000n)]).days).micros).toBe(1_000_500n);
    // 6.66 of 10^-6 UZS.
    expect(only(meter([report(0, 1, 1n)], { priceOf: () => 666 }).days).micros).toBe(6n);
  });

  test('has the bytes of an interval on the day of Tashkent on which it ended, at the price of that day', () => {
    // 23:59 and 00:01 in Tashkent.
    const start = new Date('2026-11-30T18:00:00Z');
    const before = { ...report(0, 0, 10n * MB), measuredAt: at(59, start), receivedAt: at(59, start) };
    const after = { ...report(1, 0, 25n * MB), measuredAt: at(61, start), receivedAt: at(61, start) };
    const { days } = meter([before, after], {
      session: { startedAt: start, endedAt: null },
      priceOf: (day) => (day === '2026-11-30' ? 100 : 200),
    });
    expect(days.map(({ day, bytes, micros }) => [day, bytes, micros])).toEqual([
      ['2026-11-30', 10n * MB, 10_000_000n],
      ['2026-12-01', 15n * MB, 30_000_000n],
    ]);
  });
});

describe('a report', () => {
  test.each([
    ['whose counter went back', [report(0, 1, 50n * MB), report(1, 2, 40n * MB)], 1, 'counter-went-back', 0n],
    [
      'of 51 MB a second',
      [report(0, 1, 50n * MB), report(1, 2, (50n + 51n * 60n) * MB)],
      1,
      'too-fast',
      3_060n,
    ],
    ['of a clock two minutes ahead', [report(0, 3, 9n * MB, { receivedAt: at(1) })], 0, 'clock-ahead', 9n],
    ['of before the session', [report(0, -2, 9n * MB)], 0, 'outside-session', 9n],
    ['of more than a day later', [report(0, 1_442, 9n * MB)], 0, 'outside-session', 9n],
    [
      'that came when its day was closed',
      [report(0, 1, 9n * MB, { receivedAt: closesAt('2026-11-30') })],
      0,
      'after-close',
      9n,
    ],
    [
      'whose number said something else before',
      [report(0, 1, MB), report(0, 1, 2n * MB, { receivedAt: at(9) })],
      0,
      'conflict',
      0n,
    ],
  ] as const)('%s is kept and not paid, with a sentence', (_what, reports, seq, flaw, unpaidMb) => {
    const metered = meter(reports);
    expect(flawsOf(metered)).toEqual([[seq, flaw]]);
    expect(reasonSentence(flaw, 'en')).toMatch(/^[A-Z].*\.$/);
    const unpaid = metered.days.flatMap((day) => day.unpaid);
    expect(unpaid).toEqual(unpaidMb === 0n ? [] : [{ reason: flaw, bytes: unpaidMb * MB }]);
  });

  test.each([
    ['of exactly 50 MB a second', report(0, 1, 3_000n * MB)],
    ['of a clock a minute ahead', report(0, 2, MB, { receivedAt: at(1) })],
    [
      'that came a moment before its day closed',
      report(0, 1, MB, { receivedAt: new Date(closesAt('2026-11-30').getTime() - 1) }),
    ],
  ])('%s is paid', (_what, one) => {
    expect(only(meter([one]).days).payable).toBe(one.down);
  });

  test('of a number that was said twice counts as it came first', () => {
    const twice = [report(0, 1, 2n * MB, { receivedAt: at(9) }), report(0, 1, MB)];
    expect(only(meter(twice).days).bytes).toBe(MB);
    expect(only(meter(twice.toReversed()).days).bytes).toBe(MB);
  });

  test('that is flawed costs nothing where a later one confirms it', () => {
    const metered = meter([
      report(0, 1, 10n * MB),
      report(1, 9, 20n * MB, { receivedAt: at(2) }),
      report(2, 10, 30n * MB),
    ]);
    expect(flawsOf(metered)).toEqual([[1, 'clock-ahead']]);
    expect(only(metered.days)).toMatchObject({ bytes: 30n * MB, payable: 30n * MB, unpaid: [] });
  });

  test('of a counter that began again is unpaid until it has passed where it was, and says how much', () => {
    const metered = meter([
      report(0, 1, 100n * MB),
      report(1, 2, 0n),
      report(2, 3, 90n * MB),
      report(3, 4, 150n * MB),
    ]);
    expect(only(metered.days)).toMatchObject({
      bytes: 250n * MB,
      payable: 150n * MB,
      unpaid: [{ reason: 'counter-went-back', bytes: 100n * MB }],
    });
  });

  test('of a counter that jumps back and forth claims no more than a session can carry, and what is good of it is paid', () => {
    const jumps = Array.from({ length: 8 }, (_, n) => report(2 * n, n + 1, 4_000_000n * MB));
    const good = Array.from({ length: 8 }, (_, n) => report(2 * n + 1, n + 1.5, BigInt(n + 1) * 10n * MB));
    const { days } = meter([...jumps, ...good]);
    const day = only(days);
    expect(day).toMatchObject({ bytes: 4_400_000n * MB, payable: 80n * MB });
    expect(day.unpaid.reduce((sum, { bytes }) => sum + bytes, 0n)).toBe(day.bytes - 80n * MB);
  });

  test('that came after a day had closed does not move its bytes to the next day', () => {
    const start = new Date('2026-11-30T18:00:00Z');
    const session = { startedAt: start, endedAt: null };
    const late = at(1, closesAt('2026-11-30'));
    const inTime = [
      { ...report(1, 0, 0n), measuredAt: at(1, start), receivedAt: at(1, start) },
      { ...report(5, 0, 40n * MB), measuredAt: at(50, start), receivedAt: at(50, start) },
    ];
    // Of a lower number, and measured on the next day, which is still open.
    const trick = { ...report(3, 0, 40n * MB), measuredAt: at(90, start), receivedAt: late };
    const paidOf = (reports: readonly Report[]) =>
      meter(reports, { session }).days.map(({ day, payable }) => [day, payable]);
    expect(paidOf(inTime)).toEqual([['2026-11-30', 40n * MB]]);
    expect(paidOf([...inTime, trick]).filter(([, payable]) => payable !== 0n)).toEqual([
      ['2026-11-30', 40n * MB],
    ]);
  });
});

describe('whatever a phone sends', () => {
  /** Fifty reports, most of them honest. */
  const reports = fc
    .array(
      fc.record({
        growth: fc.oneof(
          { weight: 8, arbitrary: fc.bigInt(0n, 200n * MB) },
          { weight: 1, arbitrary: fc.bigInt(-300n * MB, 100_000n * MB) },
        ),
        skewMs: fc.oneof(
          { weight: 8, arbitrary: fc.integer({ min: 0, max: 40_000 }) },
          fc.integer({ min: -600_000, max: 600_000 }),
        ),
        delayMs: fc.oneof(
          { weight: 8, arbitrary: fc.integer({ min: 0, max: 90_000 }) },
          fc.integer({ min: 0, max: 400_000_000 }),
        ),
      }),
      { minLength: 50, maxLength: 50 },
    )
    .map((parts) => {
      let total = 0n;
      return parts.map(({ growth, skewMs, delayMs }, seq): Report => {
        total = total + growth < 0n ? 0n : total + growth;
        // One in half an hour: a day, over its midnight.
        const measuredAt = new Date(at(30 * (seq + 1)).getTime() + skewMs);
        return {
          seq,
          measuredAt,
          receivedAt: new Date(at(30 * (seq + 1)).getTime() + delayMs),
          up: total / 3n,
          down: total - total / 3n,
        };
      });
    });
  const gateway = fc.option(fc.bigInt(0n, 5_000n * MB), { nil: null });
  const policy = fc.constantFrom('pay' as const, 'review' as const, 'unpaid' as const);

  test('order, repetition and splits change nothing', () => {
    fc.assert(
      fc.property(
        reports,
        fc.func(fc.integer()),
        fc.array(fc.nat(49), { maxLength: 60 }),
        (sent, rank, again) => {
          const once = meter(sent);
          const shuffled = sent.toSorted((a, b) => rank(a.seq) - rank(b.seq) || b.seq - a.seq);
          expect(meter(shuffled)).toEqual(once);
          // A repeat arrives later, and says the same.
          const repeated = again.map((n) => {
            const one = sent[n] as Report;
            return { ...one, receivedAt: new Date(one.receivedAt.getTime() + 1_000) };
          });
          expect(meter([...repeated, ...shuffled])).toEqual(once);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('the reasons add up to the byte, no day earns more than it says, and the days together no more than the counter', () => {
    fc.assert(
      fc.property(reports, gateway, policy, (sent, carried, requireCounterpart) => {
        const { days } = meter(sent, {
          rules: { requireCounterpart, tolerancePercent: 5 },
          gateway: new Map(carried === null ? [] : [['2026-11-30', carried]]),
        });
        for (const day of days) {
          const unpaid = day.unpaid.reduce((sum, { bytes }) => sum + bytes, 0n);
          expect(unpaid).toBe(day.bytes - (day.verdict === 'pay' ? day.payable : 0n));
          expect(day.unpaid.every(({ bytes, reason }) => bytes > 0n && reason !== '')).toBe(true);
          expect(day.payable <= day.bytes && day.micros === (day.payable * 150n) / 100n).toBe(true);
        }
        const most = sent.reduce((max, { up, down }) => (up + down > max ? up + down : max), 0n);
        expect(days.reduce((sum, { payable }) => sum + payable, 0n) <= most).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('what comes after the close of a day changes nothing of what it pays', () => {
    fc.assert(
      fc.property(reports, (sent) => {
        const closed = closesAt('2026-11-30');
        const paid = (some: readonly Report[]) =>
          meter(some).days.find(({ day }) => day === '2026-11-30')?.payable ?? 0n;
        expect(paid(sent)).toBe(paid(sent.filter(({ receivedAt }) => receivedAt < closed)));
      }),
      { numRuns: 200 },
    );
  });
});

test('a person’s decision holds against every rule, for as much as they have seen', () => {
  const facts = {
    rules: { requireCounterpart: 'unpaid', tolerancePercent: 5 },
    decided: new Map([['2026-11-30', { ...PAY, micros: 1_500_000n }]]),
  } as const;
  expect(only(meter([report(0, 1, MB + 1_000n)], facts).days)).toMatchObject({
    verdict: 'unpaid',
    reason: 'no-counterpart',
  });
  expect(only(meter([report(0, 1, MB)], facts).days)).toMatchObject({
    verdict: 'pay',
    payable: MB,
    unpaid: [],
  });
});

test('the address counts where it is stricter, and only for what it carried', () => {
  const address = { verdict: 'unpaid', reason: 'address-hosting' } as const;
  expect(only(meter([report(0, 1, MB)], { address }).days)).toMatchObject({
    verdict: 'unpaid',
    reason: 'address-hosting',
    unpaid: [{ reason: 'address-hosting', bytes: MB }],
  });
  expect(only(meter([report(0, 1, 0n)], { address }).days).verdict).toBe('pay');
});

test('a day closes at 00:05 in Tashkent, three days after it began', () => {
  expect(closesAt('2026-11-30').toISOString()).toBe('2026-12-02T19:00:00.000Z');
  expect(closableDay(new Date('2026-12-02T19:04:59Z'))).toBe('2026-11-29');
  expect(closableDay(new Date('2026-12-02T19:05:00Z'))).toBe('2026-11-30');
});

test('a session without a report has no day', () => {
  const none = {
    session: { startedAt: START, endedAt: null },
    reports: [],
    gateway: new Map(),
    decided: new Map(),
  };
  const rules = { requireCounterpart: 'pay', tolerancePercent: 5 } as const;
  const address = { verdict: 'pay', reason: null } as const;
  expect(meterSession({ ...none, rules, address, priceOf: () => 1 })).toEqual({ days: [], flawed: [] });
});
