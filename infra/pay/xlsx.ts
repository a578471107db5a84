import { zipSync } from 'fflate';
import { readSheet } from 'read-excel-file/universal';
import type { Cell, Row } from '../../domain/pay/list/cell.ts';
import { fault, type ListFault } from '../../domain/pay/list/faults.ts';
import { COLUMNS_MAX, LIST_LINES_MAX } from '../../domain/pay/list/limits.ts';
import { unzip } from './zip.ts';

export type RowsRead =
  | { readonly ok: true; readonly rows: readonly Row[] }
  | { readonly ok: false; readonly fault: ListFault };

const refused = (code: ListFault['code'], found?: string): RowsRead => ({
  ok: false,
  fault: fault(code, { line: 1 }, found === undefined ? {} : { found }),
});

const WORKBOOK = 'xl/workbook.xml';
const RELATIONS = 'xl/_rels/workbook.xml.rels';
const isWanted = (name: string) =>
  name === WORKBOOK || name === RELATIONS || /^xl\/(?:worksheets\/)?[\w-]+\.xml$/.test(name);
/** Gaps between lines, and an empty one here and there. */
const ROWS_MAX = LIST_LINES_MAX + 1_000;

/** The rows of the first sheet. The library reads only what was measured here, packed anew: a line number alone can make it fill the memory. */
export async function xlsxRows(bytes: Buffer): Promise<RowsRead> {
  const unzipped = unzip(bytes, isWanted);
  if (!unzipped.ok) return refused(unzipped.code);
  const { files } = unzipped;
  const sheet = firstSheet(files);
  const xml = sheet === null ? undefined : files.get(sheet.path);
  if (sheet === null || xml === undefined) return refused('file-unreadable');
  if (sheet.isHidden) return refused('hidden-sheet');
  const text = xml.toString('latin1');
  const found = scan(text);
  if (found.columns > COLUMNS_MAX) return refused('too-many-columns', `a value in column ${found.columns}`);
  if (found.rows > ROWS_MAX) return refused('too-many-lines', `a value in line ${found.rows}`);
  const covered = coveredIn(text);
  if (covered === null) return refused('file-unreadable', `more than ${COVERED_MAX} merged lines`);
  const values = await sheetValues(files, sheet.path);
  const unseen = { columns: hiddenColumnsIn(text), covered };
  return values === null ? refused('file-unreadable') : { ok: true, rows: rowsOf(values, found, unseen) };
}

interface SheetPlace {
  readonly path: string;
  readonly isHidden: boolean;
}

/** As the library finds it: the first of the workbook, by its relation. */
function firstSheet(files: ReadonlyMap<string, Buffer>): SheetPlace | null {
  const sheet = /<(?:\w+:)?sheet\s[^<>]*>/.exec(files.get(WORKBOOK)?.toString('latin1') ?? '')?.[0] ?? '';
  const id = attribute(sheet, '\\w+:id');
  const relations =
    files
      .get(RELATIONS)
      ?.toString('latin1')
      .match(/<(?:\w+:)?Relationship\s[^<>]*>/g) ?? [];
  const target = relations.find((each) => attribute(each, 'Id') === id);
  const path = target && attribute(target, 'Target');
  if (id === null || path === undefined || path === null) return null;
  return {
    path: path.startsWith('/') ? path.slice(1) : `xl/${path}`,
    isHidden: (attribute(sheet, 'state') ?? 'visible') !== 'visible',
  };
}

const attribute = (tag: string, name: string): string | null =>
  new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`)
    .exec(tag)
    ?.slice(1)
    .find((each) => each !== undefined) ?? null;

/** What the library does not tell of a sheet. */
interface Scan {
  readonly rows: number;
  readonly columns: number;
  /** `C5`: cells whose value a formula made. */
  readonly formulas: ReadonlySet<string>;
  readonly hiddenRows: ReadonlySet<number>;
}

/** Each tag ends before the next begins, so that it takes one walk over the text whatever it holds. */
const TAGS = /<(?:\w+:)?(row|c|f)(\s(?:[^<>"']|"[^"<]*"|'[^'<]*')*)?\/?>/g;

function scan(xml: string): Scan {
  const [formulas, hiddenRows] = [new Set<string>(), new Set<number>()];
  let [rows, columns, cell] = [0, 0, ''];
  for (const [, tag, attributes = ''] of xml.matchAll(TAGS)) {
    if (tag === 'f') {
      formulas.add(cell);
      continue;
    }
    const place = attribute(attributes, 'r') ?? '';
    rows = Math.max(rows, Number(place.replace(/^[A-Z]+/, '')) || 0);
    if (tag === 'row' && isUnseen(attributes, 'ht')) hiddenRows.add(Number(place));
    if (tag === 'row') continue;
    cell = place;
    columns = Math.max(columns, columnOf(place));
  }
  return { rows, columns, formulas, hiddenRows };
}

/** By its attribute, in whatever way it says yes, or by having no height or width. */
const isUnseen = (attributes: string, size: 'ht' | 'width') =>
  !/^(?:0|false)$/.test(attribute(attributes, 'hidden') ?? '0') ||
  Number(attribute(attributes, size) ?? 1) === 0;

const COLUMN_TAGS = /<(?:\w+:)?col(\s(?:[^<>"']|"[^"<]*"|'[^'<]*')*)\/?>/g;

/** Of those that a list may have; from 0. */
function hiddenColumnsIn(xml: string): ReadonlySet<number> {
  const hidden = new Set<number>();
  for (const [, attributes = ''] of xml.matchAll(COLUMN_TAGS)) {
    if (!isUnseen(attributes, 'width')) continue;
    const [min, max] = [Number(attribute(attributes, 'min')), Number(attribute(attributes, 'max'))];
    for (let column = Math.max(min, 1); column <= Math.min(max, COLUMNS_MAX); column += 1)
      hidden.add(column - 1);
  }
  return hidden;
}

interface Covered {
  readonly from: number;
  readonly to: number;
}
const MERGES = /<(?:\w+:)?mergeCell\s[^<>]*\bref\s*=\s*["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']/g;
/** Ten merged cells in each line that a file may have. */
const COVERED_MAX = 10 * ROWS_MAX;

/** By line, what merged cells cover: of each its first cell alone is seen. Columns from 0. Null where there are too many. */
function coveredIn(xml: string): ReadonlyMap<number, readonly Covered[]> | null {
  const covered = new Map<number, Covered[]>();
  let count = 0;
  for (const [, left = '', top, right = '', bottom] of xml.matchAll(MERGES)) {
    const [first, last] = [Number(top), Math.min(Number(bottom), ROWS_MAX)];
    for (let line = first; line <= last; line += 1) {
      count += 1;
      if (count > COVERED_MAX) return null;
      const from = columnOf(left) - (line === first ? 0 : 1);
      const before = covered.get(line);
      const place = { from, to: columnOf(right) - 1 };
      if (before) before.push(place);
      else covered.set(line, [place]);
    }
  }
  return covered;
}

const columnOf = (place: string) => {
  let column = 0;
  for (const letter of place.replace(/\d+$/, '')) column = column * 26 + letter.charCodeAt(0) - 64;
  return column;
};

/** `#N/A` and the like: the library gives up at the first. As a text each is told with its line. */
const ERROR_CELL = /(<(?:\w+:)?c\s[^<>]*\bt=["'])e(?=["'])/g;

async function sheetValues(
  files: ReadonlyMap<string, Buffer>,
  sheet: string,
): Promise<readonly (readonly unknown[])[] | null> {
  const packed = Object.fromEntries(
    [...files].map(
      ([name, content]) => [name, new Uint8Array(name === sheet ? withoutErrors(content) : content)] as const,
    ),
  );
  const { buffer, byteOffset, byteLength } = zipSync(packed, { level: 0 });
  const copy = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  return readSheet(copy, { trim: false }).then(
    (rows) => rows as readonly (readonly unknown[])[],
    () => null,
  );
}

const withoutErrors = (xml: Buffer): Buffer =>
  Buffer.from(xml.toString('latin1').replaceAll(ERROR_CELL, '$1str'), 'latin1');

interface Unseen {
  readonly columns: ReadonlySet<number>;
  readonly covered: ReadonlyMap<number, readonly Covered[]>;
}

function rowsOf(
  values: readonly (readonly unknown[])[],
  { formulas, hiddenRows }: Scan,
  { columns, covered }: Unseen,
): Row[] {
  const formulaAt = Map.groupBy(formulas, (place) => Number(place.replace(/^[A-Z]+/, '')));
  return values.map((cells, index) => {
    const line = index + 1;
    const row: Cell[] = cells.map(cellOf);
    for (const place of formulaAt.get(line) ?? []) row[columnOf(place) - 1] = '= a formula';
    const merged = covered.get(line) ?? [];
    const isCellHidden = (column: number) =>
      columns.has(column) || merged.some(({ from, to }) => column >= from && column <= to);
    return { line, cells: row, isHidden: hiddenRows.has(line), isCellHidden };
  });
}

const cellOf = (value: unknown): Cell =>
  typeof value === 'string' ||
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  value instanceof Date
    ? value
    : null;
