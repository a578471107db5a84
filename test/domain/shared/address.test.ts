import { expect, test } from 'vitest';
import { addressText, recipientAddressText } from '../../../domain/shared/address.ts';

const phone = '+998901234567';
const recipientId = '01990000-0000-7000-8000-000000000001';

test('limits are the number’s where there is one, else the recipient’s, and never meet', () => {
  const texts = (['live', 'test'] as const).flatMap((mode) => [
    addressText({ phone }, mode),
    addressText({ recipientId }, mode),
    // A recipient that is called like a number is none.
    addressText({ recipientId: phone }, mode),
  ]);
  expect(new Set(texts).size).toBe(texts.length);
});

test('a recipient with a phone shares the limits of that phone', () => {
  expect(recipientAddressText(recipientId, phone)).toBe(addressText({ phone }, 'live'));
  expect(recipientAddressText(recipientId, null)).toBe(addressText({ recipientId }, 'live'));
});
