import { expect, test } from 'vitest';
import { findPhone } from '../../../domain/staff/phone-search.ts';

test.each([
  '+998 90 123-45-67',
  '998901234567',
  '00998901234567',
  '90 123 45 67',
  '(90) 123.45.67',
  ' +998901234567 ',
  '90–123–45–67',
])('%j is the number that was meant', (text) => {
  expect(findPhone(text)?.e164).toBe('+998901234567');
});

test('a foreign number is found with its country', () => {
  expect(findPhone('+7 701 234 56 78')?.e164).toBe('+77012345678');
  expect(findPhone('0077012345678')?.e164).toBe('+77012345678');
});

test.each([
  '',
  '123',
  'user@example.com',
  '01990000-0000-7000-8000-000000000001',
  '+998',
  'a901234567',
  '9'.repeat(33),
])('%j is none', (text) => {
  expect(findPhone(text)).toBeNull();
});
