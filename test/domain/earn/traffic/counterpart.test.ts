import { describe, expect, test } from 'vitest';
import { compareCounts } from '../../../../domain/earn/traffic/counterpart.ts';
import { at, MB, meter, report } from './session.ts';

const DAY = '2026-11-30';
const review = { requireCounterpart: 'review', tolerancePercent: 5 } as const;

describe('the smaller count is paid', () => {
  test.each([
    ['the gateway has carried a little less', 100n, 96n, 96n, 'pay', null],
    ['the gateway has carried a little more', 100n, 104n, 100n, 'pay', null],
    ['they differ by exactly the share', 100n, 95n, 95n, 'pay', null],
    ['the gateway has carried much less', 100n, 94n, 94n, 'review', 'counterpart-differs'],
    ['the gateway has carried much more', 100n, 106n, 100n, 'review', 'counterpart-differs'],
    ['the gateway has carried nothing', 100n, 0n, 0n, 'review', 'counterpart-differs'],
    ['no gateway has reported', 100n, null, 100n, 'review', 'no-counterpart'],
    ['there was nothing to carry', 0n, null, 0n, 'pay', null],
  ] as const)('where %s', (_where, phone, gateway, payable, verdict, reason) => {
    expect(compareCounts(phone, gateway, review)).toEqual({ payable, verdict, reason });
  });

  test.each([
    ['pay', { verdict: 'pay', reason: null, unpaid: [] }],
    [
      'review',
      {
        verdict: 'review',
        reason: 'no-counterpart',
        unpaid: [{ reason: 'no-counterpart', bytes: 40n * MB }],
      },
    ],
    [
      'unpaid',
      {
        verdict: 'unpaid',
        reason: 'no-counterpart',
        unpaid: [{ reason: 'no-counterpart', bytes: 40n * MB }],
      },
    ],
  ] as const)('without a gateway the project says what becomes of it: %s', (requireCounterpart, expected) => {
    const { days } = meter([report(0, 1, 40n * MB)], { rules: { requireCounterpart, tolerancePercent: 5 } });
    expect(days).toEqual([expect.objectContaining({ bytes: 40n * MB, payable: 40n * MB, ...expected })]);
  });
});

test('what the gateway did not carry is unpaid, by its own reason beside those of flawed reports', () => {
  const { days } = meter([report(0, 1, 100n * MB), report(1, 9, 107n * MB, { receivedAt: at(2) })], {
    rules: review,
    gateway: new Map([[DAY, 97n * MB]]),
  });
  expect(days).toEqual([
    expect.objectContaining({
      bytes: 107n * MB,
      payable: 97n * MB,
      gatewayBytes: 97n * MB,
      verdict: 'pay',
      unpaid: [
        { reason: 'clock-ahead', bytes: 7n * MB },
        { reason: 'counterpart-lower', bytes: 3n * MB },
      ],
    }),
  ]);
});
