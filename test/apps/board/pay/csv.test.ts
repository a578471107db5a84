import { describe, expect, test } from 'vitest';
import { csvLine } from '../../../../apps/board/pay/csv.ts';

describe('a line of a file', () => {
  test('ends and quotes as RFC 4180 says', () => {
    expect(csvLine(['a', 'b,c', 'say "x"', 'two\nlines', ''])).toBe('a,"b,c","say ""x""","two\nlines",\r\n');
  });

  test.each([
    ['=1+1', `"'=1+1"`],
    ['+SUM(A1)', `"'+SUM(A1)"`],
    ['-2+3', `"'-2+3"`],
    ['@cmd', `"'@cmd"`],
    ['\t=1', `"'\t'=1"`],
    ['\r=1', `"'\r'=1"`],
    ['=HYPERLINK("x","y")', `"'=HYPERLINK(""x"",""y"")"`],
    ['key;=1', `"key;'=1"`],
    ['a\t=1', `"a\t'=1"`],
    ['a\n=1', `"a\n'=1"`],
    ['-', `"'-"`],
    ['-1-1', `"'-1-1"`],
    ['-1.5e3', `"'-1.5e3"`],
    ['--1', `"'--1"`],
  ])('makes no formula of %j', (text, cell) => {
    expect(csvLine([text])).toBe(`${cell}\r\n`);
  });

  test('leaves numbers numbers, with their minus', () => {
    expect(csvLine([-5n, '-5.000001', '12', 3, '1000000000000000001'])).toBe(
      '-5,-5.000001,12,3,1000000000000000001\r\n',
    );
  });

  test('leaves what is no formula as it is', () => {
    expect(csvLine(['earn:1-2', 'a=b', '2026-11-29T10:00:00.000000Z'])).toBe(
      'earn:1-2,a=b,2026-11-29T10:00:00.000000Z\r\n',
    );
  });
});
