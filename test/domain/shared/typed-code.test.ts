import { describe, expect, test } from 'vitest';
import { plainCode, typedCode } from '../../../domain/shared/typed-code.ts';

const meant = [
  '123456',
  ' 123 456 ',
  '123-456',
  '12 34 56',
  '123\u00a0456',
  '123\u202f456',
  '123\t456',
  '123–456',
  '123‑456',
  '123\u2212456',
  '123456\n',
  '\r\n123456\r\n',
  '\ufeff123456',
  '\u200b123\u200c456\u200d',
  '\u202a123456\u202c',
  '12\u00ad3456',
  '"123456"',
  "'123456'",
  '“123456”.',
  '«123456»',
  '`123456`',
  '123456.',
  '１２３４５６',
  '١٢٣٤٥٦',
  '۱۲۳۴۵۶',
];
const otherwise = [
  '',
  '123',
  '123456789',
  '123\n456',
  '123.456',
  '123,456',
  '12a456',
  '0x1234',
  '1e5000',
  '+123456 or 654321',
  'код 123456',
  'VI123456',
  '①②③④⑤⑥',
  '१२३४५६',
];

describe('a code as people paste it', () => {
  test.each(meant)('%j is 123456', (text) => {
    expect(plainCode(text)).toBe('123456');
    expect(typedCode(6).parse(text)).toBe('123456');
  });

  test.each(otherwise)('%j is none, and says what was expected', (text) => {
    const read = typedCode(4, 8).safeParse(text);
    expect(read.success).toBe(false);
    expect(read.error?.issues[0]?.message).toContain('expected 4 to 8 digits');
  });

  test('a number would lose its zeros', () => {
    expect(typedCode(6).safeParse(12_345).error?.issues[0]?.message).toBe(
      'expected the code as a string of digits',
    );
  });

  test('leading zeros stay', () => {
    expect(plainCode('007 007')).toBe('007007');
    expect(plainCode('٠٠٧٠٠٧')).toBe('007007');
  });
});

test('what is longer than 64 characters is not read, however few digits it holds', () => {
  expect(typedCode(6).safeParse('123456'.padEnd(64)).success).toBe(true);
  expect(typedCode(6).safeParse('123456'.padEnd(65)).success).toBe(false);
});

test('digits are counted after what is around them is gone', () => {
  for (const [code, taken] of [
    ['1234', true],
    ['12345678', true],
    ['12 3', false],
    ['1234-5678-9', false],
  ] as const)
    expect(typedCode(4, 8).safeParse(code).success, code).toBe(taken);
});
