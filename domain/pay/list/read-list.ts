import { type Phone, readPhone } from '../../shared/phone.ts';
import { readAmount } from './amount.ts';
import { type Cell, cellHoldsCard, isEmpty, type Row, textOf } from './cell.ts';
import { holdsContact } from './contact.ts';
import { aboveLimit, fault, type ListFault, missingColumn } from './faults.ts';
import { type Column, type Header, type ListField, readHeader } from './header.ts';
import { amountMax, linesMax, type ListRail, NAME_LENGTH_MAX, PURPOSE_LENGTH_MAX } from './limits.ts';

/** One payee. */
export interface ListLine {
  /** In the file, from 1. */
  readonly line: number;
  readonly phone: Phone;
  readonly name: string;
  /** In tiyin. */
  readonly amount: bigint;
  readonly purpose: string;
  /** By the bank alone: 20 digits, and the 5 of the bank. */
  readonly bank: { readonly account: string; readonly mfo: string } | null;
}

/** A list, and all that is wrong with it. It may be imported only where nothing is. */
export interface ReadList {
  readonly lines: readonly ListLine[];
  /** In the order of the file, at most `FAULTS_SHOWN_MAX`. */
  readonly faults: readonly ListFault[];
  readonly faultsTotal: number;
  /** Of the right lines, in tiyin. */
  readonly total: bigint;
}

/** Nobody mends more by hand; what is wrong with so many lines is one thing. */
const FAULTS_SHOWN_MAX = 10_000;

const payeeFields = ['phone', 'name', 'amount', 'purpose'] as const satisfies readonly ListField[];
const fieldsOf: Readonly<Record<ListRail, readonly ListField[]>> = {
  multicard: payeeFields,
  'bank-file': [...payeeFields, 'account', 'mfo'],
};

/** Reads rows as a list for a rail. Never throws, whatever the cells hold. */
export function readList(rows: readonly Row[], rail: ListRail): ReadList {
  const filled = rows.filter(({ cells }) => !cells.every(isEmpty));
  const [first, ...rest] = filled;
  if (first === undefined || rest.length === 0) return faulty([fault('no-lines', { line: 1 })]);
  if (rest.length > linesMax[rail]) return faulty([tooManyLines(rest.length, linesMax[rail])]);
  const header = readHeader(first.cells);
  const wrong = [...cardsIn(first), ...headerFaults(header, first, rail), ...hiddenIn(first, header)];
  return wrong.length > 0 ? faulty(wrong) : readLines(rest, { ...header, width: first.cells.length }, rail);
}

/** A list of which nothing can be read but this. */
export const faulty = (faults: readonly ListFault[]): ReadList => ({
  lines: [],
  faults,
  faultsTotal: faults.length,
  total: 0n,
});

const tooManyLines = (lines: number, max: number) =>
  fault('too-many-lines', { line: 1 }, { expected: `at most ${max} lines`, found: `${lines}` });

const headerFaults = ({ columns, twice }: Header, { line, cells }: Row, rail: ListRail): ListFault[] => [
  ...fieldsOf[rail].filter((field) => !columns.has(field)).map((field) => missingColumn(field, line, cells)),
  ...twice.map((column) => fault('column-twice', { line, column })),
];

/** Values that are read, and that nobody sees who looks at the spreadsheet. */
const hiddenIn = (
  { line, cells, isCellHidden, isCellChanged }: Row,
  { columns }: Pick<Header, 'columns'>,
): ListFault[] =>
  [...columns.values()].flatMap((column) => {
    const cell = cells[column.index] ?? null;
    if (isEmpty(cell)) return [];
    if (isCellHidden?.(column.index)) return [fault('hidden-cell', { line, column })];
    return isCellChanged?.(column.index) ? [fault('number-format', { line, column, cell })] : [];
  });

/** The heading, and how many cells it has. */
type Table = Header & { readonly width: number };

function readLines(rows: readonly Row[], header: Table, rail: ListRail): ReadList {
  const seen = new Map<string, number>();
  const faults: ListFault[] = [];
  const lines: ListLine[] = [];
  let faultsTotal = 0;
  for (const row of rows) {
    const read = readLine(row, header, rail, seen);
    faultsTotal += read.faults.length;
    faults.push(...read.faults.slice(0, FAULTS_SHOWN_MAX - faults.length));
    if (read.line) lines.push(read.line);
  }
  return { lines, faults, faultsTotal, total: lines.reduce((sum, { amount }) => sum + amount, 0n) };
}

/** In any column, those that nobody reads too. */
const cardsIn = ({ line, cells }: Row, { columns }: Pick<Header, 'columns'> = { columns: new Map() }) =>
  cells.flatMap((cell, index) => {
    if (!cellHoldsCard(cell)) return [];
    const known = [...columns.values()].find((column) => column.index === index);
    return [fault('card-number', { line, column: known ?? { index, heading: 'not read' }, cell })];
  });

interface LineRead {
  readonly line: ListLine | null;
  readonly faults: readonly ListFault[];
}

/** A line being read: each field adds its fault, so that all of a line are told at a time. */
interface Reading {
  readonly row: Row;
  readonly header: Table;
  readonly faults: ListFault[];
}

function readLine(row: Row, header: Table, rail: ListRail, seen: Map<string, number>): LineRead {
  const unread = cardsIn(row, header);
  if (row.cells.length !== header.width) unread.push(widthFault(row, header.width));
  // What else is wrong with such a line is told when this is mended.
  if (unread.length > 0) return { line: null, faults: unread };
  const hidden = row.isHidden ? [fault('hidden-line', { line: row.line })] : [];
  const reading: Reading = { row, header, faults: [...hidden, ...hiddenIn(row, header)] };
  const phone = phoneOf(reading, seen);
  const name = nameOf(reading);
  const amount = amountOf(reading, amountMax[rail]);
  const purpose = said(reading, 'purpose', PURPOSE_LENGTH_MAX);
  const bank = rail === 'bank-file' ? bankOf(reading) : null;
  const { faults } = reading;
  if (faults.length > 0 || phone === null || name === null || amount === null || purpose === null)
    return { line: null, faults };
  return { line: { line: row.line, phone, name, amount, purpose, bank }, faults };
}

const widthFault = ({ line, cells }: Row, width: number) =>
  fault(
    'columns-differ',
    { line },
    { expected: `${width} values, as the heading has`, found: `${cells.length}` },
  );

interface Place {
  readonly line: number;
  readonly column: Column | undefined;
  readonly cell: Cell;
}

function placeOf({ row, header }: Reading, field: ListField): Place {
  const column = header.columns.get(field);
  return { line: row.line, column, cell: (column && row.cells[column.index]) ?? null };
}

function fieldText(reading: Reading, field: ListField, lengthMax = PURPOSE_LENGTH_MAX): string | null {
  const place = placeOf(reading, field);
  const read = textOf(place.cell);
  if (!read.ok) {
    reading.faults.push(fault(read.code === 'empty' ? 'not-filled-in' : read.code, place));
    return null;
  }
  if (Array.from(read.text).length <= lengthMax) return read.text;
  reading.faults.push(fault('too-long', place, { expected: `at most ${lengthMax} signs` }));
  return null;
}

/** Nine digits are a number at home, and one in several other countries. */
const NATIONAL = /^\d{9}$/;

function phoneOf(reading: Reading, seen: Map<string, number>): Phone | null {
  const text = fieldText(reading, 'phone');
  if (text === null) return null;
  const place = placeOf(reading, 'phone');
  const plain = text.replaceAll(/[\s().-]/g, '');
  const read = readPhone(/^998\d{9}$/.test(plain) ? `+${plain}` : text);
  if (!read.ok) {
    const meant = NATIONAL.test(plain) ? `Write +998${plain}, if that is meant.` : undefined;
    reading.faults.push(fault('phone-form', place, meant === undefined ? {} : { next: meant }));
    return null;
  }
  if (read.phone.country !== 'UZ') {
    reading.faults.push(fault('phone-other-country', place));
    return null;
  }
  return seenOnce(reading, read.phone.e164, seen);
}

function seenOnce(reading: Reading, phone: Phone, seen: Map<string, number>): Phone | null {
  const before = seen.get(phone);
  if (before === undefined) {
    seen.set(phone, reading.row.line);
    return phone;
  }
  const expected = `each phone once; it is in line ${before} too`;
  reading.faults.push(fault('phone-twice', placeOf(reading, 'phone'), { expected }));
  return null;
}

/** What payees may read in a message of ours. */
function said(reading: Reading, field: 'name' | 'purpose', lengthMax: number): string | null {
  const text = fieldText(reading, field, lengthMax);
  if (text === null || !holdsContact(text)) return text;
  reading.faults.push(fault('contact', placeOf(reading, field)));
  return null;
}

function nameOf(reading: Reading): string | null {
  const name = said(reading, 'name', NAME_LENGTH_MAX);
  if (name === null || /\p{L}{2}/u.test(name)) return name;
  reading.faults.push(fault('name-form', placeOf(reading, 'name')));
  return null;
}

function amountOf(reading: Reading, max: bigint): bigint | null {
  const text = fieldText(reading, 'amount');
  if (text === null) return null;
  const place = placeOf(reading, 'amount');
  const read = readAmount(text);
  if (read.ok && read.tiyin <= max) return read.tiyin;
  reading.faults.push(read.ok ? aboveLimit(place, max) : fault(read.code, place));
  return null;
}

function bankOf(reading: Reading): ListLine['bank'] {
  const account = digitsOf(reading, 'account', /^\d{20}$/, 'account-form');
  const mfo = digitsOf(reading, 'mfo', /^\d{5}$/, 'mfo-form');
  return account !== null && mfo !== null ? { account, mfo } : null;
}

function digitsOf(
  reading: Reading,
  field: 'account' | 'mfo',
  form: RegExp,
  code: 'account-form' | 'mfo-form',
): string | null {
  const text = fieldText(reading, field);
  if (text === null) return null;
  const digits = text.replaceAll(' ', '');
  if (form.test(digits)) return digits;
  reading.faults.push(fault(code, placeOf(reading, field)));
  return null;
}
