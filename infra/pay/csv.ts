import { isUtf8 } from 'node:buffer';
import { CsvError, parse } from 'csv-parse/sync';
import type { Row } from '../../domain/pay/list/cell.ts';
import { fault } from '../../domain/pay/list/faults.ts';
import { LIST_LINES_MAX } from '../../domain/pay/list/limits.ts';
import type { RowsRead } from './xlsx.ts';

const DELIMITERS = [';', ',', '\t'] as const;
/** Excel's own first line, which says what stands between the columns. */
const SEPARATOR_LINE = /^sep=([;,\t])\r?\n/i;
/** One more than may be: then it is said that they are too many. */
const ROWS_READ_MAX = LIST_LINES_MAX + 2;

/** The rows of a text with one sign between its columns, which is chosen once, by the first line that says something. */
export function csvRows(bytes: Buffer): RowsRead {
  const text = decoded(bytes);
  if (text === null) return { ok: false, fault: fault('file-encoding', { line: 1 }) };
  if (text.includes('\0')) return { ok: false, fault: fault('file-unreadable', { line: 1 }) };
  const said = SEPARATOR_LINE.exec(text);
  const table = said ? text.slice(said[0].length) : text;
  const delimiter = said?.[1] ?? delimiterOf(table);
  try {
    return { ok: true, rows: records(table, delimiter, said ? 1 : 0) };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error['lines'] === 'number' ? error['lines'] : 1;
    return { ok: false, fault: fault('quotes', { line }) };
  }
}

interface Read {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

function records(text: string, delimiter: string, linesBefore: number): Row[] {
  const read = parse(text, {
    delimiter,
    info: true,
    // Each line is held against the heading by itself, so that all of them are told.
    relax_column_count: true,
    skip_empty_lines: true,
    to: ROWS_READ_MAX,
  }) as unknown as readonly Read[];
  return read.map(({ record, info }) => ({ line: info.lines + linesBefore, cells: record }));
}

function delimiterOf(text: string): string {
  const heading = text.split(/\r\n|\r|\n/, 50).find((line) => line.trim() !== '') ?? '';
  const outside = heading.replaceAll(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((sign) => [sign, outside.split(sign).length] as const);
  return counts.reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}

/** UTF-8 if all of it is, else windows-1251, in which Excel saves CSV here; UTF-16 says so itself. Null: neither. */
function decoded(bytes: Buffer): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return strictly('utf-16le', bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return strictly('utf-16be', bytes);
  if (isUtf8(bytes)) return strictly('utf-8', bytes);
  return isBrokenUtf8(bytes) ? null : strictly('windows-1251', bytes);
}

function strictly(encoding: string, bytes: Buffer): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/**
 * Cyrillic letters of UTF-8 are pairs of 0xD0 to 0xD3 and 0x80 to 0xBF. In windows-1251 the first is one of Р, С, Т and У, and the second hardly ever a
 * letter: where such pairs are many, it is UTF-8 with something broken in it, and every name would be read wrong.
 */
function isBrokenUtf8(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  const pairs = text.match(/[\xD0-\xD3][\x80-\xBF]/g)?.length ?? 0;
  const others = text.match(/[\x80-\xFF]/g)?.length ?? 0;
  return pairs * 4 > others;
}
