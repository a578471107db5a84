import { badText } from '../../shared/bad-text.ts';
import { VISIBLE_LINE } from '../../shared/visible-line.ts';
import { readsAsCardNumber } from './card-number.ts';

/** What a cell of a spreadsheet holds; of a CSV file always a text. A formula is its text, from the `=` on. */
export type Cell = string | number | boolean | Date | null;

/** A line of the file with its number in it, from 1. */
export interface Row {
  readonly line: number;
  readonly cells: readonly Cell[];
  /** Whoever looks at the spreadsheet does not see it. */
  readonly isHidden?: boolean;
  /** The same of one of its values, by its column from 0. */
  readonly isCellHidden?: (column: number) => boolean;
  /** Its number format shows something else than the cell holds. */
  readonly isCellChanged?: (column: number) => boolean;
}

/** Shown of a wrong cell: enough to find it. */
const SHOWN_MAX = 60;
/** A number of so many digits may be of a card, right or wrong: none is ever shown. */
const HIDDEN_DIGITS = 13;
/** Spreadsheets keep 15 significant digits of a number and write zeros for the rest. */
const DIGITS_KEPT = 15;

/** `A`, `Z`, `AA`: as spreadsheets letter their columns. */
export function letterOf(index: number): string {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : letterOf(Math.floor(index / 26) - 1) + last;
}

/** A cell as an error may show it: never the number of a card, and nothing that is not seen. */
export function shown(cell: Cell): string {
  const text = cell instanceof Date ? dateText(cell) : String(cell ?? '');
  const digits = text.normalize('NFKC').match(/\p{Nd}/gu)?.length ?? 0;
  if (digits >= HIDDEN_DIGITS) return `a text of ${digits} digits, not shown`;
  const visible = text
    .toWellFormed()
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu, '\u2423');
  return Array.from(visible).length > SHOWN_MAX
    ? `${Array.from(visible).slice(0, SHOWN_MAX).join('')}…`
    : visible;
}

/** A number that has the format of a date may be none. */
const dateText = (date: Date) =>
  Number.isNaN(date.getTime()) ? 'a date that there is not' : `a date, ${date.toISOString().slice(0, 10)}`;

export const isEmpty = (cell: Cell | undefined): boolean =>
  cell === null || cell === undefined || (typeof cell === 'string' && cell.trim() === '');

export const cellHoldsCard = (cell: Cell): boolean =>
  (typeof cell === 'string' || typeof cell === 'number') && readsAsCardNumber(String(cell));

export type CellFault =
  | 'empty'
  | 'formula'
  | 'spreadsheet-error'
  | 'not-text'
  | 'digits-lost'
  | 'control-character';

export type CellText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: CellFault };

/** Excel's, in English and Russian. */
const SPREADSHEET_ERROR =
  /^#(?:N\/A|REF!|VALUE!|DIV\/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|Н\/Д|ССЫЛКА!|ЗНАЧ!|ДЕЛ\/0!|ИМЯ\?|ЧИСЛО!|ПУСТО!)$/;
/** What a spreadsheet wrote for a number that was too long for its column. */
const EXPONENT = /^[+-]?\d+(?:[.,]\d+)?e[+-]?\d+$/i;

/** The text of a cell, on one line, with plain spaces; or why it is none. */
export function textOf(cell: Cell | undefined): CellText {
  if (cell === null || cell === undefined) return wrong('empty');
  if (typeof cell === 'number') return numberText(cell);
  if (typeof cell !== 'string') return wrong('not-text');
  if (badText(cell) !== null) return wrong('control-character');
  const text = cell.replaceAll(/\p{Zs}+/gu, ' ').trim();
  if (text === '') return wrong('empty');
  if (text.startsWith('=')) return wrong('formula');
  if (SPREADSHEET_ERROR.test(text)) return wrong('spreadsheet-error');
  if (!VISIBLE_LINE.test(text)) return wrong('control-character');
  if (EXPONENT.test(text)) return wrong('digits-lost');
  return { ok: true, text };
}

function numberText(cell: number): CellText {
  if (!Number.isFinite(cell) || wholeDigits(String(cell)) > DIGITS_KEPT) return wrong('digits-lost');
  // What a formula left behind, such as 0.30000000000000004, is shown as 0.3, and is that.
  const text = String(Number(cell.toPrecision(DIGITS_KEPT)));
  return text.includes('e') ? wrong('digits-lost') : { ok: true, text };
}

const wholeDigits = (text: string) => text.replace(/\..*$/, '').replace('-', '').length;
const wrong = (code: CellFault) => ({ ok: false, code }) as const;
