import { expect, test } from 'vitest';
import {
  compileTemplate,
  covers,
  matchesTemplate,
  plainText,
} from '../../../domain/shared/moderated-template.ts';

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

test.each([
  ['%w{0,999} '.repeat(30), true],
  ['%w{0,999} '.repeat(31), false],
  ['Kod %d{1000}', false],
  ['Kod %d{6,4}', false],
  ['Kod %d{a}', false],
  ['Kod %d {a}', true],
] as const)('%j is one that we can read: %s', (template, isRead) => {
  expect(compileTemplate(template) !== null).toBe(isRead);
});

/** Every place tried, one by one. */
function covered(template: string, text: string): boolean {
  const source = template
    .replaceAll(/[.]/g, '\\.')
    .replaceAll(/%d(?:\{(\d+),(\d+)\})?/g, (_, min, max) => `[0-9]{${min ?? 1},${max ?? 999}}`)
    .replaceAll(/%w(?:\{(\d+),(\d+)\})?/g, (_, min = '1', max = '1') => {
      const words = max === '0' ? '' : `[^ ]+(?: [^ ]+){${Math.max(0, min - 1)},${max - 1}}`;
      return min === '0' ? `(?:${words})?` : words;
    });
  return new RegExp(`^${source}$`).test(text);
}

test('whatever the template, the answer is that of a search through every place', () => {
  let seed = 1;
  const draw = (n: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % n;
  };
  const pieces = ['%d', '%w', '%d{0,2}', '%d{2,3}', '%w{0,1}', '%w{1,3}', '%w{2,2}', 'a', ' ', '1', 'b.'];
  const letters = ['a', 'b', ' ', '1', '2', '.', 'a '];
  const join = (from: readonly string[], n: number) =>
    Array.from({ length: n }, () => from[draw(from.length)])
      .join('')
      .replace(/ +/g, ' ')
      .trim();
  let matched = 0;
  for (let n = 0; n < 40_000; n++) {
    const [template, text] = [join(pieces, 1 + draw(5)), join(letters, 1 + draw(9))];
    const expected = covered(template, text);
    if (expected) matched += 1;
    expect(matchesTemplate(template, text), `${template} | ${text}`).toBe(expected);
  }
  expect(matched).toBeGreaterThan(1_000);
});

test('each placeholder looks at each letter once, and work that is used up ends the search', () => {
  const text = plainText('a b '.repeat(120));
  const compiled = compileTemplate(`${'%w{0,200}'.repeat(30)}!`);
  const work = { left: 1e9 };
  expect(compiled && covers(compiled, text, work)).toBe(false);
  expect(1e9 - work.left).toBeLessThan(30 * 3 * (text.length + 1));
  const little = { left: 2 * text.length };
  expect(compiled && covers(compiled, text, little)).toBe(false);
  expect(little.left).toBeLessThan(0);
});
