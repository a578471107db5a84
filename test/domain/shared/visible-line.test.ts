import { expect, test } from 'vitest';
import { hiddenLetter, VISIBLE_LINE, visibleLine } from '../../../domain/shared/visible-line.ts';

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
  // Letters and marks by their category, of which nothing is seen.
  '\u034f',
  '\u115f',
  '\u1160',
  '\u2800',
  '\u3164',
  '\uffa0',
  '\ufe0f',
  '\u{e0100}',
];

/** U+FE0F asks for the colours of an emoji. */
const styled = ['❤\ufe0f', 'a ☎\ufe0f 1', '1\ufe0f\u20e3 a'];

test('a line that reads as it was meant is taken', () => {
  for (const line of [
    'a',
    '7',
    'a b',
    'Банк «Ипотека»',
    'Oʻzbekiston',
    '支付',
    '🙂 ok',
    'e\u0301',
    ...styled,
  ]) {
    expect(VISIBLE_LINE.test(line), line).toBe(true);
    expect([visibleLine(line), hiddenLetter(line)]).toEqual([line, null]);
  }
});

test('what is not seen, turns the direction or breaks the line is refused wherever it stands', () => {
  for (const sign of hidden)
    for (const line of [sign, `a${sign}b`, `${sign}ab`, `ab${sign}`])
      expect(VISIBLE_LINE.test(line), JSON.stringify(line)).toBe(false);
  for (const sign of hidden.slice(1))
    expect(hiddenLetter(`a${sign}\nb`)).toBe(
      `U+${sign.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`,
    );
  for (const line of ['', ' ', ' a', 'a ', '\u00a0a'])
    expect(VISIBLE_LINE.test(line), JSON.stringify(line)).toBe(false);
});

test('a text that can not be refused is made such a line', () => {
  for (const sign of hidden) {
    expect(visibleLine(`${sign}a${sign}${sign}b${sign}`)).toBe('a b');
    expect(visibleLine(sign)).toBe('');
  }
});
