import { expect, test } from 'vitest';
import { chainAlarms } from '../../../../domain/pay/ledger/alarms.ts';
import { dayAfter, endOfDay, tashkentDay } from '../../../../domain/pay/ledger/head.ts';

const midnight = new Date('2026-11-28T19:00:00Z');
const after = (minutes: number) => new Date(midnight.getTime() + minutes * 60_000);
const book = { book: 'b', open: 0, openSince: null, closedAt: midnight, nextDay: '2026-11-29' };
const names = (...args: Parameters<typeof chainAlarms>) => chainAlarms(...args).map(({ alarm }) => alarm);

test('a day of Tashkent begins at seven in the evening of UTC', () => {
  expect(tashkentDay(midnight)).toBe('2026-11-29');
  expect(tashkentDay(new Date(midnight.getTime() - 1))).toBe('2026-11-28');
  expect(endOfDay('2026-11-28')).toEqual(midnight);
  expect(dayAfter('2026-12-31')).toBe('2027-01-01');
  expect(dayAfter('2028-03-01', -1)).toBe('2028-02-29');
});

test('a book that can not be read is told, and hides no other', () => {
  const late = { ...book, nextDay: '2026-11-28' };
  const endless = { ...book, nextDay: '-infinity' };
  const lost = { book: 'b', sink: 'chat', day: 'infinity' } as const;
  expect(names([endless, late], [lost], after(61))).toEqual([
    'ledger-unreadable',
    'ledger-day-unsigned',
    'ledger-unreadable',
  ]);
});

test('transfers in no block alarm after five minutes', () => {
  const open = { ...book, open: 3, openSince: midnight };
  expect(names([open], [], after(5))).toEqual([]);
  expect(names([open, book], [], after(5.1))).toEqual(['ledger-open']);
});

test('a day that is not signed, and a head that nobody accepted, alarm an hour after its end', () => {
  const late = { ...book, nextDay: '2026-11-28' };
  const unsent = { book: 'b', sink: 'witness', day: '2026-11-28' } as const;
  expect(names([late], [unsent], after(60))).toEqual([]);
  expect(names([late], [unsent], after(61))).toEqual(['ledger-day-unsigned', 'ledger-head-unsent']);
});
