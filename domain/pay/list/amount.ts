export type AmountFault =
  | 'amount-form'
  | 'amount-ambiguous'
  | 'amount-decimals'
  | 'amount-negative'
  | 'amount-zero';

export type AmountReading =
  | { readonly ok: true; readonly tiyin: bigint }
  | { readonly ok: false; readonly code: AmountFault };

const TIYIN_OF_UZS = 100n;
const DECIMALS = 2;
/** Below 10^15 UZS; the limits of a list are far lower. */
const WHOLE_DIGITS_MAX = 15;

/**
 * Reads an amount in UZS as people write it: `1234.5`, `1 234,50`, `1,234.50`, `1.234,50`, `1'234.50`. What could be read in two ways
 * (`1,234`) is refused: nobody guesses about money.
 */
export function readAmount(text: string): AmountReading {
  if (/^[-\u2212\u2013]|^\(.*\)$/u.test(text))
    return wrong(isDigits(text) ? 'amount-negative' : 'amount-form');
  const plain = text.replaceAll(/['\u2019]/gu, ' ');
  if (!/^\d[\d ., ]*$/.test(plain)) return wrong('amount-form');
  const spaced = ungrouped(plain, ' ');
  if (spaced === null) return wrong('amount-form');
  return partsOf(spaced);
}

const isDigits = (text: string) => /^[-\u2212\u2013(][\d ., ]*\d\)?$/u.test(text);

/** Without the separator where it stands between groups of three; null where it stands elsewhere. `1 234,50` has its decimals after. */
function ungrouped(text: string, separator: ' ' | ',' | '.'): string | null {
  if (!text.includes(separator)) return text;
  const [whole = '', ...rest] = separator === ' ' ? text.split(/(?=[.,])/) : [text];
  if (rest.some((part) => part.includes(separator))) return null;
  const [first = '', ...groups] = whole.split(separator);
  const isGrouped = /^\d{1,3}$/.test(first) && groups.every((group) => /^\d{3}$/.test(group));
  return isGrouped && !first.startsWith('0') ? [first, ...groups, ...rest].join('') : null;
}

/** Of a text of digits, commas and dots. */
function partsOf(text: string): AmountReading {
  const marks = Array.from(text).filter((sign) => sign === ',' || sign === '.');
  const last = marks.at(-1);
  if (last === undefined) return amountOf(text, '');
  const isDecimal = marks.indexOf(last) === marks.length - 1;
  if (!isDecimal) return groupsOnly(text, marks);
  const at = text.lastIndexOf(last);
  const [whole, decimals] = [text.slice(0, at), text.slice(at + 1)];
  if (decimals === '') return wrong('amount-form');
  if (marks.length > 1) return groupedWhole(whole, marks[0] as ',' | '.', decimals);
  if (decimals.length === 3 && /^[1-9]\d{0,2}$/.test(whole)) return wrong('amount-ambiguous');
  return amountOf(whole, decimals);
}

/** `1,234,567`: the same sign twice is no decimal one. */
function groupsOnly(text: string, marks: readonly string[]): AmountReading {
  if (new Set(marks).size > 1) return wrong('amount-form');
  const whole = ungrouped(text, marks[0] as ',' | '.');
  return whole === null ? wrong('amount-form') : amountOf(whole, '');
}

function groupedWhole(whole: string, separator: ',' | '.', decimals: string): AmountReading {
  const plain = ungrouped(whole, separator);
  return plain === null || !/^\d+$/.test(plain) ? wrong('amount-form') : amountOf(plain, decimals);
}

function amountOf(whole: string, decimals: string): AmountReading {
  if (!/^\d+$/.test(whole)) return wrong('amount-form');
  if (!/^\d*$/.test(decimals) || whole.length > WHOLE_DIGITS_MAX) return wrong('amount-form');
  if (decimals.replace(/0+$/, '').length > DECIMALS) return wrong('amount-decimals');
  const tiyin = BigInt(whole) * TIYIN_OF_UZS + BigInt(decimals.slice(0, DECIMALS).padEnd(DECIMALS, '0'));
  return tiyin === 0n ? wrong('amount-zero') : { ok: true, tiyin };
}

const wrong = (code: AmountFault) => ({ ok: false, code }) as const;
