import { expect, test } from 'vitest';
import { approvedTexts } from '../../../domain/verify/approved-texts.ts';

const listOf = (templates: readonly string[]) =>
  approvedTexts(
    templates.map((template) => ({ template, status: 'service', isApproved: true, since: new Date(0) })),
  );
const approvedBy = (list: ReturnType<typeof listOf>, text: string) =>
  list.covering(text)?.approved?.template ?? null;

test('whichever word a text is found by, the first that covers it counts', () => {
  const list = listOf(['%w: kod %d', 'Shop: kod %d', 'kod %d', '%d kod', '%w{1,2}!', 'Salom']);
  for (const [text, template] of [
    ['Shop: kod 1', '%w: kod %d'],
    ['kod 1', 'kod %d'],
    ['1 kod', '%d kod'],
    ['a b!', '%w{1,2}!'],
    ['Salom', 'Salom'],
    ['salom', null],
    ['Shop: kod', null],
  ] as const)
    expect(approvedBy(list, text), text).toBe(template);
});

test('a remembered answer is that of the wording, never of another one', () => {
  const list = listOf(['Kod %d{4}', 'Sum 500 %d', 'Kod %w']);
  expect(approvedBy(list, 'Kod ####'), 'no text takes the place of another one’s digits').toBe('Kod %w');
  expect(approvedBy(list, 'Kod 1234')).toBe('Kod %d{4}');
  expect(approvedBy(list, 'Kod 9876')).toBe('Kod %d{4}');
  expect(approvedBy(list, 'Sum 600 1')).toBeNull();
  expect(approvedBy(list, 'Sum 500 1')).toBe('Sum 500 %d');
});

/** CPU that this process used, in ms. */
function cpuOf(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

test('two thousand texts cost a message next to nothing, though no code is seen twice', () => {
  const list = listOf(
    Array.from({ length: 2_000 }, (_, n) => `Shop${n}: %w{1,3} %d{6} %w{1,20} ok${'abcdefghij'[n % 10]} %d`),
  );
  const text = (n: number) => `Shop1999: kod kodi ${100_000 + n} amal qiladi uni okj ${n % 9}`;
  expect(approvedBy(list, text(1))).toBe('Shop1999: %w{1,3} %d{6} %w{1,20} okj %d');
  expect(
    cpuOf(() => Array.from({ length: 100 }, (_, n) => approvedBy(list, text(n)))),
    'ms',
  ).toBeLessThan(400);
});

test('a list that leaves everything open holds the event loop for milliseconds, and then tells nothing', () => {
  const list = listOf(Array.from({ length: 2_000 }, () => `${'%w{0,999}'.repeat(30)}~`));
  const text = `${'a '.repeat(230)}123456 !`;
  expect(
    cpuOf(() => expect(list.covering(text)).toBeNull()),
    'ms',
  ).toBeLessThan(300);
});
