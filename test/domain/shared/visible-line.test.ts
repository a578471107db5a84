import { expect, test } from 'vitest';
import { VISIBLE_LINE, visibleLine } from '../../../domain/shared/visible-line.ts';

const hidden = [
  '\n',
  '\r',
  '\t',
  '\0',
  '\u001b',
  '\u00ad',
  '\u200b',
  '\u200e',
  '\u202e',
  '\u2028',
  '\u2029',
  '\u2066',
  '\ufeff',
  '\ue000',
  '\ud800',
];

test('a line that reads as it was meant is taken', () => {
  for (const line of ['a', '7', 'a b', 'Банк «Ипотека»', 'Oʻzbekiston', '支付', '🙂 ok', 'e\u0301'])
    expect(VISIBLE_LINE.test(line), line).toBe(true);
});

test('what is not seen, turns the direction or breaks the line is refused wherever it stands', () => {
  for (const sign of hidden)
    for (const line of [sign, `a${sign}b`, `${sign}ab`, `ab${sign}`])
      expect(VISIBLE_LINE.test(line), JSON.stringify(line)).toBe(false);
  for (const line of ['', ' ', ' a', 'a ', '\u00a0a'])
    expect(VISIBLE_LINE.test(line), JSON.stringify(line)).toBe(false);
});

test('a text that can not be refused is made such a line', () => {
  for (const sign of hidden) {
    expect(visibleLine(`${sign}a${sign}${sign}b${sign}`)).toBe('a b');
    expect(visibleLine(sign)).toBe('');
  }
});
