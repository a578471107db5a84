import { uzsOfTiyin } from './limits.ts';
import { type Cell, letterOf, shown } from './cell.ts';
import type { Column, ListField } from './header.ts';

/** Something in the file that keeps the whole of it from being imported. */
export interface ListFault {
  /** Its number in the file, from 1. */
  readonly line: number;
  /** The column's letter and heading, such as `C, Summa`; null where it is the line's or the file's. */
  readonly column: string | null;
  readonly code: FaultCode;
  /** What is there; never the number of a card. */
  readonly found: string | null;
  readonly expected: string;
  /** What to do. */
  readonly next: string;
}

interface FaultWords {
  readonly expected: string;
  readonly next: string;
}

const asText = 'Give the column the format Text, and type the value again from its source.';

/** What is expected, and what to do, by what is wrong. */
export const faultWords = {
  'file-empty': { expected: 'an XLSX or CSV file', next: 'Send the bytes of the file as the body.' },
  'file-too-large': { expected: 'a smaller file', next: 'Split the list into several files.' },
  'file-unreadable': {
    expected: 'a list as XLSX or CSV',
    next: 'Open the file in your spreadsheet program, and save it as .xlsx or as CSV in UTF-8.',
  },
  'file-encrypted': {
    expected: 'an XLSX without a password, not the older XLS',
    next: 'Save it as .xlsx without a password.',
  },
  'file-unpacks-too-large': {
    expected: 'a spreadsheet that holds a list and little else',
    next: 'Copy the list into a new spreadsheet, as values, and save that.',
  },
  'file-too-slow': {
    expected: 'a spreadsheet that is read within seconds',
    next: 'Copy the list into a new spreadsheet, as values, and save that.',
  },
  'file-encoding': {
    expected: 'text in UTF-8 or windows-1251',
    next: 'Save the file as CSV in UTF-8.',
  },
  quotes: {
    expected: 'quotes around whole values, and doubled within them, as RFC 4180 says',
    next: 'Save the list from a spreadsheet program, or correct the quotes of this line.',
  },
  'columns-differ': {
    expected: 'as many values as the heading has',
    next: 'A value that holds the sign between the columns must be in quotes.',
  },
  'too-many-columns': {
    expected: 'a list with fewer columns',
    next: 'Delete what stands to the right of the list.',
  },
  'hidden-sheet': {
    expected: 'the list on the first sheet, not hidden',
    next: 'Show the first sheet, or move the list to the front.',
  },
  'hidden-line': {
    expected: 'lines that are seen: this one is hidden, or filtered out',
    next: 'Show the line, or delete it.',
  },
  'hidden-cell': {
    expected:
      'values that are seen: this one is in a hidden column, beneath a merged cell, or has the colour of its cell',
    next: 'Show the column, unmerge the cells, or colour the letters black, and look at what is there.',
  },
  'number-format': {
    expected:
      'a value that is shown as it is: the number format of this cell hides it, or shows another number',
    next: 'Give the column the format General, and look at what is there.',
  },
  'several-sheets': {
    expected: 'one sheet that is seen and filled in, the list',
    next: 'Copy the list into a file of its own.',
  },
  'missing-column': {
    expected: 'a column of this meaning in the heading',
    next: 'Add the column; headings may be Uzbek, Russian or English.',
  },
  'column-twice': {
    expected: 'one column of this meaning',
    next: 'Delete or rename the column that is not meant.',
  },
  'no-lines': {
    expected: 'a heading and at least one line below it',
    next: 'Put the list on the first sheet, its heading in the first line that is filled in.',
  },
  'too-many-lines': {
    expected: 'a shorter list',
    next: 'Split the list into several files.',
  },
  'not-filled-in': {
    expected: 'a value',
    next: 'Fill it in, or delete the line; a line of totals too.',
  },
  formula: {
    expected: 'a value, no formula',
    next: 'Copy the column and paste it as values.',
  },
  'spreadsheet-error': {
    expected: 'a value',
    next: 'The formula behind this cell failed: type the value.',
  },
  'not-text': {
    expected: 'a text or a number; the spreadsheet made a date or a truth value of it',
    next: asText,
  },
  'digits-lost': {
    expected: 'all digits; the spreadsheet has lost some',
    next: asText,
  },
  'card-number': {
    expected: 'no number of a card, in no column',
    next: 'Delete it: payees bind their card themselves, by their link. Delete the file wherever it was sent.',
  },
  'control-character': {
    expected: 'one line of letters, digits and signs that are seen',
    next: 'Type the cell again: it holds line breaks or signs that nobody sees.',
  },
  contact: {
    expected: 'no address of a page, no @name, no e-mail and no phone number',
    next: 'Delete it: payees read this beside our link. Where it is none, put a space after each full stop.',
  },
  'too-long': { expected: 'a shorter text', next: 'Shorten it.' },
  'phone-form': {
    expected: 'a phone number with its country, such as +998901234567',
    next: 'Write +998 and the nine digits.',
  },
  'phone-other-country': {
    expected: 'a phone number of Uzbekistan, +998 and nine digits',
    next: 'Ask the payee for their number in Uzbekistan.',
  },
  'phone-twice': {
    expected: 'each phone once',
    next: 'Delete the second line, or add its amount to the first.',
  },
  'amount-form': {
    expected: 'an amount in UZS, such as 1234.50 or 1 234,50',
    next: 'Write digits and one sign for the decimals; no currency.',
  },
  'amount-ambiguous': {
    expected: 'an amount that can be read in one way only',
    next: 'It may be thousands, or have three decimals: write 1234 or 1.23.',
  },
  'amount-decimals': {
    expected: 'at most two decimals: a tiyin is the smallest amount',
    next: 'Round it.',
  },
  'amount-zero': { expected: 'more than 0', next: 'Delete the line, or write its amount.' },
  'amount-negative': {
    expected: 'more than 0',
    next: 'Nothing is taken from anybody by a list: delete the line.',
  },
  'amount-above-limit': {
    expected: 'an amount within the limit of one payout',
    next: 'Check the decimals; if it is right, pay it in several lists.',
  },
  'name-form': {
    expected: 'the first and last name of a person, in letters',
    next: 'Write the name as it stands on the card.',
  },
  'account-form': { expected: 'an account of 20 digits', next: asText },
  'mfo-form': { expected: 'the code of a bank, 5 digits', next: asText },
  repeated: {
    expected: 'no payout of this amount to this phone within the last 90 days',
    next: 'Check that it is not the same payment again. If it is meant, import with `repeats=allowed`.',
  },
} as const satisfies Readonly<Record<string, FaultWords>>;
export type FaultCode = keyof typeof faultWords;

interface At {
  readonly line: number;
  readonly column?: Column | undefined;
  readonly cell?: Cell | undefined;
}
/** What is known besides, in place of the common words. */
type Besides = Partial<FaultWords> & { readonly found?: string };

export function fault(code: FaultCode, { line, column, cell }: At, besides: Besides = {}): ListFault {
  return {
    line,
    column: column ? `${letterOf(column.index)}, ${shown(column.heading)}` : null,
    code,
    found: cell === undefined || cell === null ? null : shown(cell),
    ...faultWords[code],
    ...besides,
  };
}

/** Headings that would do. */
const examples: Readonly<Record<ListField, string>> = {
  phone: 'Telefon, Телефон or Phone',
  name: 'Ism, ФИО or Name',
  amount: 'Summa, Сумма or Amount',
  purpose: 'Maqsad, Назначение or Purpose',
  account: 'Hisob raqam, Счёт or Account',
  mfo: 'MFO, МФО or Bank code',
};

/** With the headings that there are, so that whoever mistyped one sees it. */
export const missingColumn = (field: ListField, line: number, headings: readonly Cell[]): ListFault =>
  fault('missing-column', { line, cell: headings.join(', ') }, { expected: `a column ${examples[field]}` });

export const aboveLimit = (at: At, max: bigint): ListFault =>
  fault('amount-above-limit', at, { expected: `at most ${uzsOfTiyin(max)} UZS a payout by this rail` });
