import { describe, expect, test } from 'vitest';
import type { AddressClass } from '../../../../domain/earn/address/class.ts';
import { type AddressList, ListError, narrowest, readingList } from '../../../../domain/earn/address/list.ts';

/** Without a pause. */
function readList(text: string, of: AddressClass): AddressList & { readonly pauses: number } {
  const reading = readingList(text, of);
  for (let pauses = 0; ; pauses++) {
    const step = reading.next();
    if (step.done) return { ...step.value, pauses };
  }
}

describe('a list', () => {
  test('is a network or an address a line, with comments', () => {
    const text = '# of hosts\n203.0.113.0/24 ; a comment\r\n\n 198.51.100.7\n2001:db8::/32#another\n';
    const { find } = readList(text, 'hosting');
    expect(
      ['203.0.113.9', '198.51.100.7', '2001:db8::9', '198.51.100.8'].map((one) => find(one)?.network),
    ).toEqual(['203.0.113.0/24', '198.51.100.7', '2001:db8::/32', undefined]);
  });

  test('lets others work while it is long', () => {
    const many = (lines: number) => readList('198.51.100.7\n'.repeat(lines), 'tor');
    expect([many(400), many(5_000)].map(({ pauses }) => pauses)).toEqual([0, 10]);
    expect(many(5_000).find('198.51.100.7')?.class).toBe('tor');
  });

  test.each([
    '203.0.113.0/33',
    '2001:db8::/129',
    '203.0.113',
    'AS64500',
    '203.0.113.0/24/8',
    '203.0.113.0/-1',
  ])('names the line of what is no network: %s', (line) => {
    expect(() => readList(`# head\n198.51.100.7\n${line}\n`, 'tor')).toThrow(ListError);
    expect(() => readList(`# head\n198.51.100.7\n${line}\n`, 'tor')).toThrow(/^line 3: /);
  });

  test.each([
    ['# updated 2026-10-01\n198.51.100.7', '2026-10-01T00:00:00.000Z'],
    ['; made\n; 2026-10-01T12:30:00Z by us\n198.51.100.7', '2026-10-01T12:30:00.000Z'],
    ['198.51.100.7\n# 2026-10-01', null],
    ['# 2026-99-99\n198.51.100.7', null],
    ['# nobody knows\n198.51.100.7', null],
  ])('has the date of its head: %j', (text, dated) => {
    expect(readList(text, 'tor').dated?.toISOString() ?? null).toBe(dated);
  });
});

describe('of many networks', () => {
  const lists = [
    readList('10.0.0.0/8\n198.51.100.0/24\n2001:db8::/32', 'hosting'),
    readList('10.1.0.0/16\n10.1.2.3', 'residential'),
    readList('198.51.100.0/24', 'tor'),
  ];
  const find = (address: string) => narrowest(lists.map((one) => one.find(address)));

  test.each([
    ['10.9.9.9', 'hosting'],
    ['10.1.9.9', 'residential'],
    ['10.1.2.3', 'residential'],
    ['::ffff:10.1.2.4', 'residential'],
    ['2001:db8:1::1', 'hosting'],
    ['2001:db9::1', undefined],
    ['11.0.0.1', undefined],
    // Of two classes of one network the stricter.
    ['198.51.100.200', 'tor'],
    ['nothing', undefined],
  ])('the narrowest that holds %s says %s', (address, expected) => {
    expect(find(address)?.class).toBe(expected);
  });
});
