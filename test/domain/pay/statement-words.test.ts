import { describe, expect, test } from 'vitest';
import { uzsOf } from '../../../domain/pay/ledger/amount.ts';
import { periodOf } from '../../../domain/pay/ledger/period.ts';

describe('an amount in UZS', () => {
  test.each<[bigint, string]>([
    [0n, '0.00'],
    [1n, '0.000001'],
    [-1n, '-0.000001'],
    [10_000n, '0.01'],
    [12_500_000n, '12.50'],
    [-12_345_678n, '-12.345678'],
    [1_000_000_000_000_000_001n, '1000000000000.000001'],
  ])('of %s micros is %s', (micros, text) => {
    expect(uzsOf(micros)).toBe(text);
  });
});

const at = (text: string) => BigInt(Date.parse(text)) * 1_000n;

describe('a period', () => {
  test.each([
    ['2026-11-29T05:00:00.830097Z', 830_097n],
    ['2026-11-29T10:00:00.8300+05:00', 830_000n],
    ['2026-11-29T05:00:00.000001Z', 1n],
    ['2026-11-29T05:00:00.0000010000Z', 1n],
    ['2026-11-29T05:00:00.000000001Z', 1n],
  ])('that begins at %s loses no digit of it', (edge, micros) => {
    expect(periodOf(edge, undefined).from).toBe(at('2026-11-29T05:00:00Z') + micros);
  });

  test('of days is theirs in Tashkent, from the beginning of the first to the end of the last', () => {
    expect(periodOf('2026-11-29', '2026-11-29')).toEqual({
      from: at('2026-11-28T19:00:00Z'),
      to: at('2026-11-29T19:00:00Z'),
    });
    expect(periodOf('2026-12-31', '2027-01-01').to).toBe(at('2027-01-01T19:00:00Z'));
    expect(periodOf(undefined, '9999-12-31').to).toBe(at('9999-12-31T19:00:00Z'));
  });

  test('begins at midnight by every clock that knows the zone', () => {
    const zone = new Intl.DateTimeFormat('en-GB', {
      timeZone: 'Asia/Tashkent',
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    for (let month = 1; month <= 12; month++) {
      const day = `2026-${String(month).padStart(2, '0')}-15`;
      expect(zone.format(Number(periodOf(day, undefined).from) / 1_000)).toContain('00:00:00');
    }
  });

  test('of instants has the first and not the last', () => {
    expect(periodOf('2026-11-29T10:00:00+05:00', '2026-11-29T05:00:00.001Z')).toEqual({
      from: at('2026-11-29T05:00:00Z'),
      to: at('2026-11-29T05:00:00.001Z'),
    });
  });

  test('may be without an end', () => {
    expect(periodOf(undefined, undefined)).toEqual({ from: null, to: null });
  });
});
