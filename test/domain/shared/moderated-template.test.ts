import { expect, test } from 'vitest';
import { matchesTemplate } from '../../../domain/shared/moderated-template.ts';

test.each([
  ['Kod: %d', 'Kod: 123456', true],
  ['Kod: %d', 'Kod: ', false],
  ['Kod: %d', 'Kod: 12a', false],
  ['Kod: %d{6}', 'Kod: 123456', true],
  ['Kod: %d{6}', 'Kod: 12345', false],
  ['Kod: %d{6}', 'Kod: 1234567', false],
  ['Kod: %d{4,8}.', 'Kod: 1234.', true],
  ['Kod: %d{4,8}.', 'Kod: 12345678.', true],
  ['Kod: %d{4,8}.', 'Kod: 123456789.', false],
  ['%w: kod %d', 'Navbat: kod 1', true],
  ['%w: kod %d', 'Navbat Uz: kod 1', false],
  ['%w{1,3}: kod %d', 'Navbat Uz Go: kod 1', true],
  ['%w{1,3}: kod %d', 'Navbat Uz Go On: kod 1', false],
  ['%w{2}: kod %d', 'Navbat: kod 1', false],
  ['%w{0,2}kod %d', 'kod 1', true],
  ['Kod %d', 'kod 1', false],
  ['Kod  %d', ' Kod\n1', true],
  ['100% %w', '100% sure', true],
  ['%w{1,200}', 'any text, of any words: 123456.', true],
  ['a.c', 'abc', false],
  ['', 'x', false],
] as const)('%j covers %j: %s', (template, text, covers) => {
  expect(matchesTemplate(template, text)).toBe(covers);
});

test('a template that leaves much open costs no more than its length times that of the text', () => {
  const startedAt = performance.now();
  expect(matchesTemplate('%w{0,200}'.repeat(50) + '!', 'a b '.repeat(120))).toBe(false);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
