import type { Mutation } from '../mutation.ts';

const AMOUNT = 'domain/pay/list/amount.ts';
const CELL = 'domain/pay/list/cell.ts';
const READ = 'domain/pay/list/read-list.ts';
const SCORE = 'domain/pay/list/name-score.ts';
const IMPORT = 'infra/postgres/pay/list/import.ts';
const LISTS = 'infra/postgres/pay/migrations/20261129182000-pay-lists.ts';
const inRead = (name: string) => ({ file: 'test/domain/pay/list/read-list.test.ts', name });
const inScore = (name: string) => ({ file: 'test/domain/pay/list/name-score.test.ts', name });
const inImport = (name: string) => ({ file: 'test/infra/postgres/pay/list/import.test.ts', name });
const inRoutes = (name: string) => ({ file: 'test/apps/board/pay/lists.routes.test.ts', name });
const inFile = (name: string) => ({ file: 'test/infra/pay/spreadsheet.test.ts', name });

const reading: readonly Mutation[] = [
  {
    name: 'lost digits are read as a number',
    edits: [
      {
        file: CELL,
        from: `if (EXPONENT.test(text)) return wrong('digits-lost');`,
        to: `if (EXPONENT.test(text)) return { ok: true, text: String(Number(text.replace(',', '.'))) };`,
      },
    ],
    test: inRead('a number that lost its digits'),
  },
  {
    name: 'a number of more digits than a spreadsheet keeps is believed',
    edits: [{ file: CELL, from: ' || wholeDigits(String(cell)) > DIGITS_KEPT', to: '' }],
    test: inRead('a spreadsheet keeps 15 digits'),
  },
  {
    name: 'a decimal comma is read as one of thousands',
    edits: [
      {
        file: AMOUNT,
        from: 'const isDecimal = marks.indexOf(last)',
        to: `const isDecimal = last !== ',' && marks.indexOf(last)`,
      },
    ],
    test: { ...inRead('1 234,50'), isMade: true },
  },
  {
    name: 'what may be thousands or decimals is guessed',
    edits: [{ file: AMOUNT, from: 'if (decimals.length === 3 &&', to: 'if (false &&' }],
    test: { ...inRead('1,234 is refused: amount-ambiguous'), isMade: true },
  },
  {
    name: 'one decimal is read as tiyin',
    edits: [{ file: AMOUNT, from: `.padEnd(DECIMALS, '0')`, to: `.padStart(DECIMALS, '0')` }],
    test: { ...inRead('1234.5'), isMade: true },
  },
  {
    name: 'an amount below zero loses its minus',
    edits: [
      {
        file: AMOUNT,
        from: `return wrong(isDigits(text) ? 'amount-negative' : 'amount-form');`,
        to: `return readAmount(text.replaceAll(/[^\\d., ]/gu, ''));`,
      },
    ],
    test: { ...inRead('5 is refused: amount-negative'), isMade: true },
  },
  {
    name: 'a formula is read as its text',
    edits: [{ file: CELL, from: `if (text.startsWith('='))`, to: 'if (false)' }],
    test: inRead('an amount with a formula'),
  },
  {
    name: 'a phone twice in one list is paid twice',
    edits: [{ file: READ, from: 'if (before === undefined) {', to: 'if (before !== null) {' }],
    test: inRead('a phone that comes twice, however it is written'),
  },
  {
    name: 'a line that nobody sees is paid',
    edits: [{ file: READ, from: 'row.isHidden ? [', to: 'false ? [' }],
    test: inRead('a line that is filtered out, and one with a value too many'),
  },
  {
    name: 'a list may hold the number of a card',
    edits: [{ file: READ, from: 'if (!cellHoldsCard(cell)) return [];', to: 'return [];' }],
    test: inRead('in a column that nobody reads a card number is found too'),
  },
  {
    name: 'one payout may be above its limit',
    edits: [{ file: READ, from: 'if (read.ok && read.tiyin <= max)', to: 'if (read.ok)' }],
    test: inRead('10 million by card is within the limit'),
  },
  {
    name: 'an archive is unpacked whatever it says to be',
    edits: [
      {
        file: 'infra/pay/zip.ts',
        from: 'entries.length > ENTRIES_MAX || sum > UNPACKED_BYTES_MAX',
        to: 'entries.length > ENTRIES_MAX',
      },
    ],
    test: inFile('it has one file under a thousand names'),
  },
  {
    name: 'a file of an archive gives more than the directory says',
    edits: [
      {
        file: 'infra/pay/zip.ts',
        from: 'inflateRawSync(data, { maxOutputLength: Math.max(unpacked, 1) })',
        to: 'inflateRawSync(data)',
      },
    ],
    test: inFile('it says 100 bytes'),
  },
];

const names: readonly Mutation[] = [
  {
    name: 'names are not folded',
    edits: [
      {
        file: SCORE,
        from: '.map((part) => SAME.reduce((text, [from, to]) => text.replaceAll(from, to), part))',
        to: '',
      },
    ],
    test: { ...inScore('Хасанов Хусан, KHUSAN KHASANOV'), isMade: true },
  },
  {
    name: 'one right part of a name makes up for the other',
    edits: [{ file: SCORE, from: '(least * 2 + mean) / 3', to: 'Math.max(...likenesses)' }],
    test: { ...inScore('Vali Aliyev, VALI KARIMOV'), isMade: true },
  },
  {
    name: 'a first name alone fits every name with it',
    edits: [{ file: SCORE, from: 'few.length === 1 && many.length > 1 ? ONE_PART_MAX : 1', to: '1' }],
    test: { ...inScore('Vali Aliyev, VALI'), isMade: true },
  },
];

const importing: readonly Mutation[] = [
  {
    name: 'a list with a wrong line is imported without it',
    edits: [
      { file: 'apps/board/pay/lists.routes.ts', from: '      refuseFaults(read);\n', to: '' },
      {
        file: 'apps/board/pay/lists.routes.ts',
        from: 'function refuseFaults(',
        to: 'export function refuseFaults(',
      },
    ],
    test: inRoutes('of a list with a wrong line is refused as a whole, with what is wrong'),
  },
  {
    name: 'half a list is there',
    edits: [
      {
        file: LISTS,
        from: `if (select (count(*), coalesce(sum(p.gross), 0)) from payout p where p.list_id = new.id) <> (new.lines::bigint, new.total::numeric) then`,
        to: 'if false then',
      },
    ],
    test: inImport('where its lines do not come, its commit fails'),
  },
  {
    name: 'lines are added to a list later',
    edits: [
      { file: LISTS, from: 'select count(*) > l.lines or sum(p.gross) > l.total', to: 'select count(*) < 0' },
    ],
    test: inImport('and none is added later'),
  },
  {
    name: 'one key imports two lists',
    edits: [
      {
        file: LISTS,
        from: 'if made.id is not null then\n    select i.rail',
        to: 'if false then\n    select i.rail',
      },
    ],
    test: inImport('under the same key is the same list, at once and later'),
  },
  {
    name: 'everybody imports lists',
    edits: [{ file: LISTS, from: `perform payout_staff_may(staff, '{finance}');`, to: '' }],
    test: { ...inImport('is not imported by admin'), isMade: true },
  },
  {
    name: 'a card of another phone is taken for the payee’s',
    edits: [
      {
        file: IMPORT,
        from: `where c.phone = u.phone and c.project_id = $1 and`,
        to: `where c.phone is not null and c.project_id = $1 and`,
      },
    ],
    test: inImport('that was removed or gave money back, or is of another phone, waits for a new one'),
  },
];

/** What finance's own lists are read as, and imported. */
export const listMutations: readonly Mutation[] = [...reading, ...names, ...importing];
