import fc from 'fast-check';
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
    ['a;"=1+1;b', `"a;""'=1+1;b"`],
    [`a;'"'=1`, `"a;'""''=1"`],
    ['"=1', `"""'=1"`],
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

/**
 * The cells of a line as a spreadsheet set to this separator reads them: a cell that begins with a quote goes to its next lone one, and what
 * follows that is taken as it stands.
 */
function cellsBy(separator: string, line: string): string[] {
  const cells = [''];
  let [isQuoted, isStart] = [false, true];
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (isQuoted && char === '"' && line[at + 1] === '"') at += 1;
    else if (isStart && char === '"') {
      [isQuoted, isStart] = [true, false];
      continue;
    } else if (isQuoted && char === '"') {
      isQuoted = false;
      continue;
    }
    isStart = !isQuoted && (char === separator || /[\r\n]/.test(char));
    if (isStart) cells.push('');
    else cells.push(`${cells.pop()}${char}`);
  }
  return cells;
}

const isFormula = (cell: string) => /^[=+\-@\t]/.test(cell) && !/^-?\d+(\.\d+)?$/.test(cell);
const hostile = fc.string({ unit: fc.constantFrom(...'=+-@"\';,\t\r\n1a '.split('')), maxLength: 12 });
/** More than the library's hundred: texts of which a few characters must come together. */
const RUNS = { numRuns: 20_000 };

test('of whatever texts, read with comma, semicolon or tab, no cell is a formula', () => {
  expect(cellsBy(';', csvLine(['1', 'a;b']))).toEqual(['1,"a', 'b"', '', '']);
  const check = (texts: string[]) => {
    // The first column of every file of ours is a number of a row.
    const line = csvLine(['1', ...texts]);
    for (const separator of [',', ';', '\t'])
      expect({ separator, line, formulas: cellsBy(separator, line).filter(isFormula) }).toMatchObject({
        formulas: [],
      });
  };
  fc.assert(fc.property(fc.array(hostile, { minLength: 1, maxLength: 3 }), check), RUNS);
});

test('of whatever texts, each comes back as it was but for apostrophes', () => {
  const bare = (text: string) => text.replaceAll("'", '');
  const check = (texts: string[]) => {
    expect(cellsBy(',', csvLine(texts).slice(0, -2)).map(bare)).toEqual(texts.map(bare));
  };
  fc.assert(fc.property(fc.array(hostile, { minLength: 1, maxLength: 3 }), check), RUNS);
});
