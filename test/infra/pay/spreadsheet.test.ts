import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import writeXlsxFile, { type SheetData } from 'write-excel-file/node';
import { readBytes } from '../../../infra/pay/read-bytes.ts';
import { readSpreadsheet } from '../../../infra/pay/spreadsheet.ts';

const heading = ['Телефон', 'ФИО', 'Сумма', 'Назначение'];
const right = ['+998901234567', 'Gʻaniyev Oʻtkir', '1 234,50', 'Grant'];
const listed = {
  line: 2,
  phone: '+998901234567',
  name: 'Gʻaniyev Oʻtkir',
  amount: 123_450n,
  purpose: 'Grant',
  bank: null,
};

const xlsx = async (rows: readonly (readonly (string | number | Date | { formula: string } | null)[])[]) => {
  const data = rows.map((row) =>
    row.map((value) => {
      if (value === null) return null;
      if (value instanceof Date) return { value, format: 'dd.mm.yyyy' };
      return typeof value === 'object' ? { value: value.formula, type: 'Formula' } : { value };
    }),
  );
  return writeXlsxFile(data as SheetData).toBuffer();
};

/** The same archive with one file of it changed. */
async function changed(
  name: RegExp,
  change: (xml: string) => string,
  rows = [heading, right],
): Promise<Buffer> {
  const files = unzipSync(new Uint8Array(await xlsx(rows)));
  return Buffer.from(
    zipSync(
      Object.fromEntries(
        Object.entries(files).map(([path, bytes]) => [
          path,
          name.test(path) ? strToU8(change(Buffer.from(bytes).toString())) : bytes,
        ]),
      ),
    ),
  );
}

const SHEET = /worksheets\/sheet1\.xml$/;
const codesOf = (read: { faults: readonly { code: string }[] }) => read.faults.map(({ code }) => code);

describe('a list is read the same, however it is saved', () => {
  const csv = (text: string) => Buffer.from(text);
  const lines = (sign: string, end: string) =>
    [heading, right.map((cell) => (cell.includes(sign) ? `"${cell}"` : cell))]
      .map((row) => row.join(sign))
      .join(end);
  test.each<[string, () => Buffer | Promise<Buffer>]>([
    ['XLSX', () => xlsx([heading, right])],
    ['CSV with semicolons', () => csv(lines(';', '\r\n'))],
    ['CSV with commas', () => csv(lines(',', '\n'))],
    [
      'with tabs, in UTF-16, as Excel calls it Unicode text',
      () => Buffer.from(`\uFEFF${lines('\t', '\r\n')}`, 'utf16le'),
    ],
    ['with a byte order mark', () => csv(`\uFEFF${lines(';', '\r\n')}`)],
    [
      'with all in quotes',
      () => csv([heading, right].map((row) => row.map((c) => `"${c}"`).join(';')).join('\r')),
    ],
  ])('%s', async (_how, file) => {
    expect(await readBytes(await file(), 'multicard')).toEqual({
      lines: [listed],
      faults: [],
      faultsTotal: 0,
      total: 123_450n,
    });
  });

  test('in windows-1251, which has no ʻ', async () => {
    const text = 'Телефон;ФИО;Сумма;Назначение\r\n+998901234567;Ўткир Ғаниев Ёлкин;5;Грант';
    const bytes = Buffer.from(Array.from(text.replace('Ғ', 'Г'), windows1251));
    const read = await readBytes(bytes, 'multicard');
    expect(read.faults).toEqual([]);
    expect(read.lines[0]).toMatchObject({ name: 'Ўткир Ганиев Ёлкин', purpose: 'Грант' });
  });

  test('a line that says what separates, and lines are counted as the file has them', async () => {
    const read = await readBytes(
      Buffer.from(`sep=,\r\n\r\n${heading.join(',')}\r\n\r\n+7,,,\r\n`),
      'multicard',
    );
    expect(read.faults.map(({ line, column }) => [line, column])).toEqual([
      [5, 'A, Телефон'],
      [5, 'B, ФИО'],
      [5, 'C, Сумма'],
      [5, 'D, Назначение'],
    ]);
  });
});

/** Of the letters of the alphabet of Russian and Ў alone. */
function windows1251(letter: string): number {
  const code = letter.codePointAt(0) as number;
  if (letter === 'Ў') return 0xa1;
  if (letter === 'Ё') return 0xa8;
  return code < 0x80 ? code : code - 0x410 + 0xc0;
}

describe('what a spreadsheet does to a list is told', () => {
  test('formulas, dates, hidden lines and failed formulas, each at its cell', async () => {
    const rows = [
      heading,
      [{ formula: '="+998"&"901234567"' }, 'Vali Aliyev', 5, 'Grant'],
      ['+998901234568', 'Vali Aliyev', new Date('2026-10-01'), 'Grant'],
      ['+998901234569', 'Vali Aliyev', 7777, 'Grant'],
      ['+998901234570', 'Vali Aliyev', 5, 'Grant'],
    ];
    const file = await changed(
      SHEET,
      (xml) =>
        xml
          .replace(/<c r="C4"([^>]*)>.*?<\/c>/, '<c r="C4" t="e"><f>1/0</f><v>#DIV/0!</v></c>')
          .replace(/<row r="5"/, '<row hidden="1" r="5"'),
      rows as string[][],
    );
    expect(
      (await readBytes(file, 'multicard')).faults.map(({ line, column, code }) => [line, column, code]),
    ).toEqual([
      [2, 'A, Телефон', 'formula'],
      [3, 'C, Сумма', 'not-text'],
      [4, 'C, Сумма', 'formula'],
      [5, null, 'hidden-line'],
    ]);
  });

  test('a failed formula that was pasted as a value', async () => {
    const file = await changed(SHEET, (xml) =>
      xml.replace(/<c r="C2"([^>]*)>.*?<\/c>/, '<c r="C2" t="e"><v>#N/A</v></c>'),
    );
    expect((await readBytes(file, 'multicard')).faults.map(({ column, code }) => [column, code])).toEqual([
      ['C, Сумма', 'spreadsheet-error'],
    ]);
  });

  test.each(['state="hidden"', 'state="veryHidden"', 'state="&#104;idden"'])(
    'the first sheet is hidden (%s): what is seen is another',
    async (state) => {
      const file = await changed(/xl\/workbook\.xml$/, (xml) => xml.replace('<sheet ', `<sheet ${state} `));
      expect(codesOf(await readBytes(file, 'multicard'))).toEqual(['hidden-sheet']);
    },
  );

  test.each(['hidden="1"', 'hidden="true"', 'hidden="&#49;"', 'ht="0" customHeight="1"'])(
    'a line that is not seen: %s',
    async (how) => {
      const file = await changed(SHEET, (xml) => xml.replace('<row r="2"', `<row ${how} r="2"`));
      expect(codesOf(await readBytes(file, 'multicard'))).toEqual(['hidden-line']);
    },
  );

  test.each(['hidden="0"', 'hidden="false"', 'ht="12.8"'])('a line that is seen: %s', async (how) => {
    const file = await changed(SHEET, (xml) => xml.replace('<row r="2"', `<row ${how} r="2"`));
    expect((await readBytes(file, 'multicard')).lines).toEqual([listed]);
  });

  test.each(['hidden="1"', 'hidden="true"', 'width="0" customWidth="1"'])(
    'a column that is not seen, beside one that looks like it: %s',
    async (how) => {
      const file = await changed(
        SHEET,
        (xml) => xml.replace(/(?=<sheetData)/, `<cols><col min="1" max="1" ${how}/></cols>`),
        [
          ['Телефон', 'Tелефон', 'ФИО', 'Сумма', 'Назначение'],
          ['+998930000001', ...right],
        ],
      );
      const { faults, lines } = await readBytes(file, 'multicard');
      expect([faults.map(({ column, code }) => [column, code]), lines]).toEqual([
        [['A, Телефон', 'hidden-cell']],
        [],
      ]);
    },
  );

  test('a column that nobody reads may be hidden', async () => {
    const file = await changed(
      SHEET,
      (xml) => xml.replace(/(?=<sheetData)/, '<cols><col min="5" max="9" hidden="1"/></cols>'),
      [
        [...heading, 'Izohlar'],
        [...right, 'x'],
      ],
    );
    expect((await readBytes(file, 'multicard')).lines).toEqual([listed]);
  });

  test('a value beneath a merged cell, of which the first alone is seen', async () => {
    const rows = [heading, right, ['+998930000001', 'Vali Aliyev', '5', 'Grant']];
    const merged = (ref: string) =>
      changed(
        SHEET,
        (xml) =>
          xml.replace(/(?<=<\/sheetData>)/, `<mergeCells count="1"><mergeCell ref="${ref}"/></mergeCells>`),
        rows,
      );
    const { faults } = await readBytes(await merged('A2:A3'), 'multicard');
    expect(faults.map(({ line, column, code }) => [line, column, code])).toEqual([
      [3, 'A, Телефон', 'hidden-cell'],
    ]);
    expect(codesOf(await readBytes(await merged('A2:XFD1048576'), 'multicard'))).toEqual(
      Array(7).fill('hidden-cell'),
    );
    expect((await readBytes(await merged('F2:G3'), 'multicard')).lines).toHaveLength(2);
  });
});

describe('a file that is no list is explained', () => {
  test.each([
    ['nothing', '', 'file-empty'],
    ['an older XLS, or one with a password', 'd0cf11e0a1b11ae1aaaa', 'file-encrypted'],
    ['the beginning of an archive', '504b030414000000', 'file-unreadable'],
    ['a picture', '89504e470d0a1a0a0000000d49484452', 'file-unreadable'],
    [
      'UTF-8 with a letter cut off',
      Buffer.from(`${heading.join(';')}\r\n`)
        .subarray(0, 5)
        .toString('hex'),
      'file-encoding',
    ],
  ])('%s', async (_what, hex, code) => {
    expect(codesOf(await readBytes(Buffer.from(hex, 'hex'), 'multicard'))).toEqual([code]);
  });

  test('an archive that is no spreadsheet', async () => {
    const file = Buffer.from(zipSync({ 'word/document.xml': strToU8('<w/>') }));
    expect(codesOf(await readBytes(file, 'multicard'))).toEqual(['file-unreadable']);
  });

  test('quotes that do not end, with their line', async () => {
    const file = Buffer.from(`${heading.join(';')}\n1;2;3;4\n"5;6;7;8\n`);
    expect((await readBytes(file, 'multicard')).faults.map(({ code, line }) => [code, line])).toEqual([
      ['quotes', 3],
    ]);
  });

  test('20 MB are read, a byte more is not', async () => {
    const bytes = Buffer.alloc(20_000_001, '\n');
    expect(codesOf(await readBytes(bytes.subarray(1), 'multicard'))).toEqual(['no-lines']);
    expect(codesOf(await readBytes(bytes, 'multicard'))).toEqual(['file-too-large']);
  });
});

describe('a file made to fill the memory is refused in under a second', () => {
  const GIGABYTE_PACKED = deflateRawSync(Buffer.alloc(100_000_000));

  /** One file whose sizes say what they are told to say. */
  function archive(name: string, packed: Buffer, unpacked: number, entries = 1): Buffer {
    const local = Buffer.alloc(30 + name.length);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(8, 8);
    local.writeUInt32LE(packed.length, 18);
    local.writeUInt32LE(unpacked, 22);
    local.writeUInt16LE(name.length, 26);
    local.write(name, 30);
    const heads = Array.from({ length: entries }, (_, n) =>
      headOf(n === 0 ? name : `${name}${n}`, packed, unpacked),
    );
    const directory = Buffer.concat(heads);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50);
    end.writeUInt16LE(entries, 8);
    end.writeUInt16LE(entries, 10);
    end.writeUInt32LE(directory.length, 12);
    end.writeUInt32LE(local.length + packed.length, 16);
    return Buffer.concat([local, packed, directory, end]);
  }

  function headOf(name: string, packed: Buffer, unpacked: number): Buffer {
    const head = Buffer.alloc(46 + name.length);
    head.writeUInt32LE(0x02014b50);
    head.writeUInt16LE(8, 10);
    head.writeUInt32LE(packed.length, 20);
    head.writeUInt32LE(unpacked, 24);
    head.writeUInt16LE(name.length, 28);
    head.write(name, 46);
    return head;
  }

  test.each<[string, () => Buffer, string]>([
    [
      'it says that it unpacks to a gigabyte',
      () => archive('xl/workbook.xml', GIGABYTE_PACKED, 1_000_000_000),
      'file-unpacks-too-large',
    ],
    ['it says 100 bytes', () => archive('xl/workbook.xml', GIGABYTE_PACKED, 100), 'file-unpacks-too-large'],
    [
      'it has one file under a thousand names',
      () => archive('xl/workbook.xml', GIGABYTE_PACKED, 100_000_000, 1_000),
      'file-unpacks-too-large',
    ],
    [
      'it has more files than a spreadsheet',
      () => archive('xl/workbook.xml', Buffer.alloc(2), 0, 1_001),
      'file-unpacks-too-large',
    ],
  ])('%s', async (_how, file, code) => {
    const bytes = file();
    const [rss, begun] = [process.memoryUsage.rss(), performance.now()];
    expect(codesOf(await readBytes(bytes, 'multicard'))).toEqual([code]);
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect(process.memoryUsage.rss() - rss).toBeLessThan(50_000_000);
  });

  test.each([
    [
      'a line at the end of the world',
      (xml: string) => xml.replace('<row r="2"', '<row r="999999999"'),
      'too-many-lines',
    ],
    [
      'where an attribute hides it',
      (xml: string) => xml.replace('<row r="2"', '<row x="a>b" r="999999999"'),
      'too-many-lines',
    ],
    ['a cell far to the right', (xml: string) => xml.replace('r="D2"', 'r="XFD2"'), 'too-many-columns'],
  ])('%s', async (_what, change, code) => {
    const file = await changed(SHEET, change);
    const begun = performance.now();
    expect(codesOf(await readBytes(file, 'multicard'))).toEqual([code]);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});

describe('a file is read in a thread of its own', () => {
  test('with the same answer', async () => {
    const file = await xlsx([heading, right]);
    expect(await readSpreadsheet(file, 'multicard')).toEqual(await readBytes(file, 'multicard'));
  });

  test('what fills the heap ends the thread alone, and the next file is read', async () => {
    // The library takes a tag with a broken quote in it; the scan does not.
    const bad = await changed(SHEET, (xml) => xml.replace('<row r="2"', '<row x="<" r="99999999999"'));
    const [read, next] = await Promise.all([
      readSpreadsheet(bad, 'multicard'),
      readSpreadsheet(await xlsx([heading, right]), 'multicard'),
    ]);
    expect(read.lines).toEqual([]);
    expect(read.faults).toHaveLength(1);
    expect(next.lines).toHaveLength(1);
  }, 60_000);
});

test('whatever the bytes are, the reader never throws, and a list is whole or explained', async () => {
  const file = await xlsx([heading, right, right.with(0, '+998901234568')]);
  const torn = fc
    .array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
    .map((changes) => {
      const bytes = Buffer.from(file);
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes;
    });
  const text = fc
    .array(
      fc.constantFrom(
        ...heading,
        ...right,
        ';',
        ',',
        '\t',
        '"',
        '\n',
        '\r\n',
        '=',
        'é',
        '\0',
        '8600123412341239',
      ),
    )
    .map((parts) => Buffer.from(`${heading.join(';')}\n${parts.join('')}`));
  const any = fc.uint8Array().map((bytes) => Buffer.from(bytes));
  const cut = fc.nat(file.length).map((length) => file.subarray(0, length));
  await fc.assert(
    fc.asyncProperty(fc.oneof(torn, text, any, cut), async (bytes) => {
      const read = await readBytes(bytes, 'multicard');
      expect(read.faults.length + read.lines.length).toBeGreaterThan(0);
      expect(read.lines.reduce((sum, { amount }) => sum + amount, 0n)).toBe(read.total);
      expect(JSON.stringify(read.faults)).not.toMatch(/8600123412341239/);
    }),
    { numRuns: 300 },
  );
});
