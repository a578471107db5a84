import { zipSync } from 'fflate';
import { readSheet } from 'read-excel-file/universal';
import { type Cell, letterOf, type Row, shown } from '../../domain/pay/list/cell.ts';
import { isShownAsIs } from '../../domain/pay/list/number-format.ts';
import { fault, type ListFault } from '../../domain/pay/list/faults.ts';
import { COLUMNS_MAX, LIST_LINES_MAX } from '../../domain/pay/list/limits.ts';
import { type CellStyle, hasOddRule, oddStyles } from './xlsx-styles.ts';
import { attribute, numberOf, plainText, withoutComments } from './xlsx-tags.ts';
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

/** The rows of the first sheet, where no other that is seen holds anything. The library reads only what was measured here, packed anew: a line number alone can make it fill the memory. */
export async function xlsxRows(bytes: Buffer): Promise<RowsRead> {
  const unzipped = unzip(bytes, isWanted);
  if (!unzipped.ok) return refused(unzipped.code);
  const { files } = unzipped;
  const [sheet = null, ...others] = sheetsOf(files);
  const xml = sheet === null ? undefined : files.get(sheet.path);
  if (sheet === null || xml === undefined) return refused('file-unreadable');
  if (sheet.isHidden) return refused('hidden-sheet');
  const seen = others.filter((other) => !other.isHidden && holdsValues(files.get(other.path)));
  if (holdsValues(xml) && seen.length > 0)
    return refused('several-sheets', shown([sheet, ...seen].map(({ name }) => name).join(', ')));
  const text = xml.toString('latin1');
  const styles = stylesOf(files);
  if (styles === null) return refused('file-unreadable');
  if (/<(?:[\w.-]+:)?conditionalFormatting[\s>]/.test(text) && hasOddRule(styles))
    return refused('number-format', 'a conditional format');
  const found = scan(text, oddStyles(styles));
  if (found.columns > COLUMNS_MAX) return refused('too-many-columns', `a value in column ${found.columns}`);
  if (found.rows > ROWS_MAX) return refused('too-many-lines', `a value in line ${found.rows}`);
  const covered = coveredIn(text);
  if (covered === null) return refused('file-unreadable', `more than ${COVERED_MAX} merged lines`);
  const values = await sheetValues(files, sheet.path);
  const unseen = { columns: hiddenColumnsIn(text), covered };
  return values === null ? refused('file-unreadable') : { ok: true, rows: rowsOf(values, found, unseen) };
}

interface SheetPlace {
  readonly name: string;
  readonly path: string;
  readonly isHidden: boolean;
}

const tagsOf = (files: ReadonlyMap<string, Buffer>, file: string, tag: RegExp): readonly string[] =>
  withoutComments(files.get(file)?.toString('latin1') ?? '').match(tag) ?? [];
const said = (tag: string, name: string): string => plainText(attribute(tag, name) ?? '');
const relationsOf = (files: ReadonlyMap<string, Buffer>) =>
  tagsOf(files, RELATIONS, /<(?:\w+:)?Relationship\s[^<>]*>/g).map((each) => ({
    id: said(each, 'Id'),
    type: said(each, 'Type'),
    path: pathOf(said(each, 'Target')),
  }));
const pathOf = (target: string): string => (target.startsWith('/') ? target.slice(1) : `xl/${target}`);

/** Empty where the file has none, null where they are at a place where nothing is read. */
function stylesOf(files: ReadonlyMap<string, Buffer>): string | null {
  const relation = relationsOf(files).find(({ type }) => type.endsWith('/styles'));
  return relation ? (files.get(relation.path)?.toString('latin1') ?? null) : '';
}

/** As the library finds them: those of the workbook in their order, by their relations. Nothing where the first has none. */
function sheetsOf(files: ReadonlyMap<string, Buffer>): readonly SheetPlace[] {
  const relations = relationsOf(files)
    // Charts have sheets of their own, without cells.
    .filter(({ type }) => !type.endsWith('/chartsheet'));
  const paths = new Map(relations.map(({ id, path }) => [id, path]));
  const found = tagsOf(files, WORKBOOK, /<(?:\w+:)?sheet\s[^<>]*>/g).map((sheet) => ({
    name: said(sheet, 'name'),
    path: paths.get(said(sheet, '\\w+:id')),
    isHidden: !/^(?:visible)?$/.test(said(sheet, 'state')),
  }));
  if (found[0]?.path === undefined) return [];
  return found.flatMap(({ path, ...sheet }) => (path === undefined ? [] : [{ ...sheet, path }]));
}

/** A value, or a formula that makes one. A sheet at a place where it is not read may hold any. */
const holdsValues = (xml: Buffer | undefined): boolean =>
  xml === undefined || /<(?:[\w.-]+:)?(?:v|f|is)[\s>]/.test(xml.toString('latin1'));

/** What the library does not tell of a sheet. */
interface Scan {
  readonly rows: number;
  readonly columns: number;
  /** `C5`: cells whose value a formula made. */
  readonly formulas: ReadonlySet<string>;
  readonly hiddenRows: ReadonlySet<number>;
  /** `C5`: cells that may show something else than they hold. */
  readonly styles: ReadonlyMap<string, CellStyle>;
}

/** Each tag ends before the next begins, so that it takes one walk over the text whatever it holds. */
const TAGS = /<(?:\w+:)?(row|c|f)(\s(?:[^<>"']|"[^"<]*"|'[^'<]*')*)?\/?>/g;

function scan(xml: string, odd: ReadonlyMap<number, CellStyle>): Scan {
  const [formulas, hiddenRows] = [new Set<string>(), new Set<number>()];
  const styles = new Map<string, CellStyle>();
  const isRowUnseen = areUnseen(xml, 'rows');
  let [rows, columns, cell] = [0, 0, ''];
  for (const [, tag, attributes = ''] of xml.matchAll(TAGS)) {
    if (tag === 'f') {
      formulas.add(cell);
      continue;
    }
    const place = attribute(attributes, 'r') ?? '';
    rows = Math.max(rows, Number(place.replace(/^[A-Z]+/, '')) || 0);
    if (tag === 'row' && isUnseen(attributes, 'ht', isRowUnseen)) hiddenRows.add(Number(place));
    if (tag === 'row') continue;
    cell = place;
    columns = Math.max(columns, columnOf(place));
    const style = odd.size === 0 ? undefined : odd.get(numberOf(attributes, 's') ?? 0);
    if (style) styles.set(cell, style);
  }
  return { rows, columns, formulas, hiddenRows, styles };
}

/** Of a line in points, of a column in signs. What is lower or narrower shows no letter. */
const SEEN_FROM = { ht: 3, width: 1 };

/** By its attribute, in whatever way it says yes, or by a height or width in which nothing is seen. @param isDefault of what has none of its own. */
function isUnseen(attributes: string, size: keyof typeof SEEN_FROM, isDefault: boolean): boolean {
  if (saysYes(attributes, 'hidden')) return true;
  const own = numberOf(attributes, size);
  return own === null ? isDefault : !(own >= SEEN_FROM[size]);
}
const saysYes = (attributes: string, name: string) =>
  !/^(?:0|false)$/.test(attribute(attributes, name) ?? '0');

const DEFAULT_TAGS = /<(?:\w+:)?sheetFormatPr(\s(?:[^<>"']|"[^"<]*"|'[^'<]*')*)\/?>/g;

/** Whether those are not seen that have no height or width of their own. */
const areUnseen = (xml: string, what: 'rows' | 'columns'): boolean =>
  [...xml.matchAll(DEFAULT_TAGS)].some(([, attributes = '']) => {
    const isBelow = (name: string, from: number) => !((numberOf(attributes, name) ?? from) >= from);
    return what === 'rows'
      ? saysYes(attributes, 'zeroHeight') || isBelow('defaultRowHeight', SEEN_FROM.ht)
      : isBelow('defaultColWidth', SEEN_FROM.width);
  });

const COLUMN_TAGS = /<(?:\w+:)?col(\s(?:[^<>"']|"[^"<]*"|'[^'<]*')*)\/?>/g;

/** Of those that a list may have; from 0. */
function hiddenColumnsIn(xml: string): ReadonlySet<number> {
  const isDefault = areUnseen(xml, 'columns');
  const hidden = new Set(isDefault ? Array(COLUMNS_MAX).keys() : []);
  for (const [, attributes = ''] of xml.matchAll(COLUMN_TAGS)) {
    const isHidden = isUnseen(attributes, 'width', isDefault);
    const [min, max] = [Number(attribute(attributes, 'min')), Number(attribute(attributes, 'max'))];
    for (let column = Math.max(min, 1); column <= Math.min(max, COLUMNS_MAX); column += 1)
      if (isHidden) hidden.add(column - 1);
      else if (isDefault) hidden.delete(column - 1);
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
  { formulas, hiddenRows, styles }: Scan,
  { columns, covered }: Unseen,
): Row[] {
  const formulaAt = Map.groupBy(formulas, (place) => Number(place.replace(/^[A-Z]+/, '')));
  return values.map((cells, index) => {
    const line = index + 1;
    const row: Cell[] = cells.map(cellOf);
    for (const place of formulaAt.get(line) ?? []) row[columnOf(place) - 1] = '= a formula';
    const merged = covered.get(line) ?? [];
    const styleOf = (column: number) => styles.get(`${letterOf(column)}${line}`);
    const isCellHidden = (column: number) =>
      columns.has(column) ||
      styleOf(column)?.isUnseen === true ||
      merged.some(({ from, to }) => column >= from && column <= to);
    const isCellChanged = (column: number) =>
      !isShownAsIs(styleOf(column)?.format ?? 'General', row[column] ?? null);
    return { line, cells: row, isHidden: hiddenRows.has(line), isCellHidden, isCellChanged };
  });
}

const cellOf = (value: unknown): Cell =>
  typeof value === 'string' ||
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  value instanceof Date
    ? value
    : null;
