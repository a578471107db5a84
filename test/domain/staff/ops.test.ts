import { expect, test } from 'vitest';
import { AddressHash } from '../../../domain/staff/ops.ts';

test('an address is 64 hex digits in lower case, so that each has one link', () => {
  expect(AddressHash.safeParse('0f'.repeat(32)).success).toBe(true);
  for (const text of [
    '',
    '0f'.repeat(31),
    `${'0f'.repeat(32)}0`,
    '0F'.repeat(32),
    `${'0f'.repeat(31)}0g`,
    '+998901234567',
  ])
    expect(AddressHash.safeParse(text).success, text).toBe(false);
});
