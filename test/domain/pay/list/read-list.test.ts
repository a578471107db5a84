import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAmount } from '../../../../domain/pay/list/amount.ts';
import type { Cell, Row } from '../../../../domain/pay/list/cell.ts';
import { readHeader } from '../../../../domain/pay/list/header.ts';
import type { ListRail } from '../../../../domain/pay/list/limits.ts';
import { readList } from '../../../../domain/pay/list/read-list.ts';

const heading = ['Telefon', 'Ism', 'Summa', 'Maqsad'];
const right: readonly Cell[] = ['+998901234567', 'Vali Aliyev', '1 234,50', 'Grant'];
const rowsOf = (...lines: readonly (readonly Cell[])[]): Row[] =>
  lines.map((cells, index) => ({ line: index + 1, cells }));
const listOf = (...lines: readonly (readonly Cell[])[]) => readList(rowsOf(heading, ...lines), 'multicard');
const codesOf = (...lines: readonly (readonly Cell[])[]) => listOf(...lines).faults.map(({ code }) => code);
const withCell = (index: number, cell: Cell) => right.map((each, at) => (at === index ? cell : each));

/** Numbers for tests, of no card that was issued: right by their check digit. */
const UZCARD = '8600123412341239';
const HUMO = '9860 1234 1234 1232';
const VISA = '4111111111111111';

describe('an amount that can be read in one way is read so', () => {
  test.each([
    ['1234', 123_400n],
    ['1234.5', 123_450n],
    ['1 234,50', 123_450n],
    ['1\u00A0234,50', null],
    ['1,234.50', 123_450n],
    ['1.234,50', 123_450n],
    ["1'234.50", 123_450n],
    ['1,234,567', 123_456_700n],
    ['1.234.567', 123_456_700n],
    ['1 234,500', 123_450n],
    ['1,5', 150n],
    ['0.01', 1n],
    ['1234567,89', 123_456_789n],
  ])('%s', (text, tiyin) => {
    const read = readAmount(text);
    expect(read).toEqual(tiyin === null ? { ok: false, code: 'amount-form' } : { ok: true, tiyin });
  });

  test.each([
    ['1,234', 'amount-ambiguous'],
    ['1.234', 'amount-ambiguous'],
    ['123,456', 'amount-ambiguous'],
    ['1234,567', 'amount-decimals'],
    ['1,234.567', 'amount-decimals'],
    ['0,001', 'amount-decimals'],
    ['0', 'amount-zero'],
    ['0,00', 'amount-zero'],
    ['-5', 'amount-negative'],
    ['\u22121 000', 'amount-negative'],
    ['(1 000,00)', 'amount-negative'],
    ['12 34', 'amount-form'],
    ['1 2345', 'amount-form'],
    ['1.2,3.4', 'amount-form'],
    ['1.', 'amount-form'],
    ['.5', 'amount-form'],
    ['5 soʻm', 'amount-form'],
    ['٥٠٠', 'amount-form'],
    ['0 234', 'amount-form'],
    ['9999999999999999', 'amount-form'],
    ['', 'amount-form'],
  ])('%s is refused: %s', (text, code) => {
    expect(readAmount(text)).toEqual({ ok: false, code });
  });

  test('every amount of tiyin, in every way that people write it, is that amount', () => {
    const styles = [
      (whole: string, parts: string) => `${whole}.${parts}`,
      (whole: string, parts: string) => `${whole},${parts}`,
      (whole: string, parts: string) => `${grouped(whole, ' ')},${parts}`,
      (whole: string, parts: string) => `${grouped(whole, ',')}.${parts}`,
      (whole: string, parts: string) => `${grouped(whole, '.')},${parts}`,
    ];
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 12n }), fc.constantFrom(...styles), (tiyin, style) => {
        const text = style(String(tiyin / 100n), String(tiyin % 100n).padStart(2, '0'));
        expect(readAmount(text)).toEqual({ ok: true, tiyin });
      }),
    );
  });
});

const grouped = (whole: string, sign: string) => whole.replaceAll(/\B(?=(?:\d{3})+$)/g, sign);

describe('a heading is known in three languages', () => {
  test.each([
    [['Telefon raqami', 'F.I.Sh.', 'Toʻlov summasi, soʻm', 'Toʻlov maqsadi']],
    [['ТЕЛЕФОН РАҚАМИ', 'Тўлиқ исм', 'Суммаси', 'Мақсади']],
    [['Номер телефона', 'Ф.И.О.', 'Сумма (сум)', 'Назначение платежа']],
    [['Phone number', 'Full name', 'Amount, UZS', 'Purpose']],
    [["To'lov summasi", 'Tel.', 'Izoh', 'FIO']],
  ])('%s', (cells) => {
    const fields = [...readHeader(cells).columns.keys()];
    expect(fields.toSorted()).toEqual(['amount', 'name', 'phone', 'purpose']);
  });

  test('one that is missing and one that comes twice are named', () => {
    const { faults } = readList(rowsOf(['Telefon', 'Phone', 'ФИО', 'Summa, tiyin'], right), 'multicard');
    const headings = 'Telefon, Phone, ФИО, Summa, tiyin';
    expect(faults.map(({ code, column, expected, found }) => [code, column, expected, found])).toEqual([
      ['missing-column', null, 'a column Summa, Сумма or Amount', headings],
      ['missing-column', null, 'a column Maqsad, Назначение or Purpose', headings],
      ['column-twice', 'B, Phone', 'one column of this meaning', null],
    ]);
  });

  test('a bank file asks for the account and the bank too', () => {
    const { faults } = readList(rowsOf(heading, right), 'bank-file');
    expect(faults.map(({ expected }) => expected)).toEqual([
      'a column Hisob raqam, Счёт or Account',
      'a column MFO, МФО or Bank code',
    ]);
  });
});

test('a right line is read, whatever the order and the columns besides', () => {
  const read = readList(
    [
      { line: 3, cells: ['№', 'Summa', 'Izoh', 'FIO', 'Telefon', 'Boshliq'] },
      { line: 4, cells: [null, null, null, null, null, null] },
      { line: 5, cells: [1, 1234.5, ' Grant  uchun ', 'Gʻaniyev\u00A0Oʻtkir', 998_901_234_567, 'Karim'] },
    ],
    'multicard',
  );
  expect(read).toEqual({
    lines: [
      {
        line: 5,
        phone: '+998901234567',
        name: 'Gʻaniyev Oʻtkir',
        amount: 123_450n,
        purpose: 'Grant uchun',
        bank: null,
      },
    ],
    faults: [],
    faultsTotal: 0,
    total: 123_450n,
  });
});

test('a line for a bank has the account and the bank', () => {
  const cells = ['+998901234567', 'Vali Aliyev', 100, 'Grant', '2020 8000 9001 2345 6789', '00014'];
  const read = readList(rowsOf([...heading, 'Hisob raqami', 'MFO'], cells), 'bank-file');
  expect(read.faults).toEqual([]);
  expect(read.lines[0]?.bank).toEqual({ account: '20208000900123456789', mfo: '00014' });
});

describe('a wrong cell is explained', () => {
  test.each<[string, number, Cell, string]>([
    ['a number that lost its digits', 0, '9,98901E+11', 'digits-lost'],
    ['another spreadsheet wrote it so', 0, '9.98901E+11', 'digits-lost'],
    ['a national number', 0, '901234567', 'phone-form'],
    ['a number of another country', 0, '+79161234567', 'phone-other-country'],
    ['a number with a digit missing', 0, '+99890123456', 'phone-form'],
    ['no phone', 0, null, 'not-filled-in'],
    ['a formula', 0, '="998901234567"', 'formula'],
    ['a name that is a number', 1, 7, 'name-form'],
    ['a name of two lines', 1, 'Vali\nAliyev', 'control-character'],
    ['a name that turns its direction', 1, 'Vali \u202Eveyilа', 'control-character'],
    ['a name that is half a surrogate', 1, 'Vali \uD800', 'control-character'],
    ['a name that is too long', 1, `V${'a'.repeat(100)}`, 'too-long'],
    ['a purpose with an address', 3, 'Grant navbat-bonus.uz', 'contact'],
    ['a name with a phone to call', 1, 'Vali +998 71 200 00 00', 'contact'],
    ['an amount with a formula', 2, '=B2*2', 'formula'],
    ['a formula that failed', 2, '#N/A', 'spreadsheet-error'],
    ['a formula that failed in Russian', 2, '#ЗНАЧ!', 'spreadsheet-error'],
    ['an amount that became a date', 2, new Date('2026-10-01'), 'not-text'],
    ['a truth value', 2, true, 'not-text'],
    ['too many decimals', 2, 1.005, 'amount-ambiguous'],
    ['an amount above the limit', 2, '10 000 000,01', 'amount-above-limit'],
    ['a spreadsheet keeps 15 digits', 2, 1_234_567_890_123_456, 'digits-lost'],
    ['a number of a card', 3, `to ${UZCARD}`, 'card-number'],
    ['in groups', 1, HUMO, 'card-number'],
    ['as a number', 2, Number(VISA), 'card-number'],
    ['in full-width digits', 3, 'ка́рта ８６００１２３４１２３４１２３９', 'card-number'],
    ['with dots', 3, '8600.1234.1234.1239', 'card-number'],
  ])('%s', (_what, index, cell, code) => {
    const read = listOf(withCell(index, cell));
    expect(read.faults.map((fault) => [fault.line, fault.code])).toEqual([[2, code]]);
    expect(read.lines).toEqual([]);
    expect(JSON.stringify(read.faults)).not.toMatch(/1234[\s.]?1234|1111|８/u);
  });

  test('what a formula left behind the 15th digit is noise', () => {
    expect(listOf(withCell(2, 0.1 + 0.2)).lines[0]?.amount).toBe(30n);
  });

  test('10 million by card is within the limit; by the bank more is', () => {
    expect(codesOf(withCell(2, 10_000_000))).toEqual([]);
    expect(codesOf(withCell(2, '10000000.01'))).toEqual(['amount-above-limit']);
  });

  test('in a column that nobody reads a card number is found too, and in the heading', () => {
    const rows = rowsOf([...heading, 'Karta'], [...right, UZCARD]);
    expect(readList(rows, 'multicard').faults.map(({ code, column }) => [code, column])).toEqual([
      ['card-number', 'E, not read'],
    ]);
    expect(
      readList(rowsOf([...heading, UZCARD], [...right, '']), 'multicard').faults.map(({ code }) => code),
    ).toEqual(['card-number']);
  });

  test('the place and what stood there are said', () => {
    expect(listOf(withCell(0, '901234567')).faults).toEqual([
      {
        line: 2,
        column: 'A, Telefon',
        code: 'phone-form',
        found: '901234567',
        expected: 'a phone number with its country, such as +998901234567',
        next: 'Write +998901234567, if that is meant.',
      },
    ]);
  });

  test('all that is wrong with a line is told', () => {
    expect(codesOf(['901234567', '', '1,234', '=1'])).toEqual([
      'phone-form',
      'not-filled-in',
      'amount-ambiguous',
      'formula',
    ]);
  });

  test('a phone that comes twice, however it is written', () => {
    const { faults, lines } = listOf(right, withCell(0, '998 90 123-45-67'));
    expect(faults.map(({ line, code, expected }) => [line, code, expected])).toEqual([
      [3, 'phone-twice', 'each phone once; it is in line 2 too'],
    ]);
    expect(lines).toHaveLength(1);
  });

  test('a line that is filtered out, and one with a value too many', () => {
    const rows = rowsOf(heading, right);
    expect(
      readList([rows[0] as Row, { ...(rows[1] as Row), isHidden: true }], 'multicard').faults.map(
        ({ code }) => code,
      ),
    ).toEqual(['hidden-line']);
    expect(codesOf([...right, 'x'], right.slice(0, 3))).toEqual(['columns-differ', 'columns-differ']);
  });

  test('a date that there is not, which a number beyond all dates has as its format', () => {
    const [phone = '', name = '', , purpose = ''] = right;
    expect(codesOf([phone, name, new Date(Number.NaN), purpose])).toEqual(['not-text']);
  });

  test('no lines, and too many', () => {
    expect(codesOf()).toEqual(['no-lines']);
    expect(readList([], 'multicard').faults.map(({ code }) => code)).toEqual(['no-lines']);
    expect(
      readList(rowsOf(heading, ...Array.from({ length: 10_001 }, () => right)), 'multicard').faults.map(
        ({ code }) => code,
      ),
    ).toEqual(['too-many-lines']);
  });
});

test('whatever the cells hold, each line is read or explained, and no digits of a card are told', () => {
  const cell = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.date(),
    fc.constantFrom<Cell>(...right, UZCARD, HUMO, '1,234', '=1', '\uD800', '9,98901E+11'),
    fc.tuple(fc.string(), fc.constantFrom(UZCARD, HUMO, VISA), fc.string()).map((parts) => parts.join(' ')),
  );
  const rails = fc.constantFrom<ListRail>('multicard', 'bank-file');
  fc.assert(
    fc.property(
      fc.array(fc.array(cell, { minLength: 4, maxLength: 4 }), { minLength: 1 }),
      rails,
      (lines, rail) => {
        const read = readList(rowsOf([...heading, 'Hisob', 'MFO'].slice(0, 4), ...lines), rail);
        const explained = new Set([...read.lines, ...read.faults].map(({ line }) => line));
        const filled = lines.filter((cells) =>
          cells.some((each) => each !== null && String(each).trim() !== ''),
        );
        expect(explained.size).toBe(rail === 'bank-file' || filled.length === 0 ? 1 : filled.length);
        expect(read.faultsTotal).toBe(read.faults.length);
        expect(JSON.stringify(read.faults)).not.toMatch(/(?:\d[ ]?){13}/);
      },
    ),
    { numRuns: 300 },
  );
});
