import type { Cell } from './cell.ts';

/**
 * What the number format of a spreadsheet's cell shows (ECMA-376, part 1, 18.8.31): sections between `;` for numbers above zero, below it, zero
 * and texts; `0`, `#` and `?` stand for digits, `@` for a text. A format may hide a value, or show 100 000 as 100.
 */

/** A part of a section: what stands for digits or a text, or signs that are shown as they are. */
interface Part {
  readonly kind: 'sign' | 'literal' | 'condition';
  readonly text: string;
}

const PARTS = /"([^"]*)"|\\(.)|_.|\*(.)|\[([<>=][^\]]*)\]|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]|(General)|(.)/giu;

function partsOf(section: string): readonly Part[] {
  return [...section.matchAll(PARTS)].map(
    ([, quoted, escaped, filled, condition, currency, general, sign]): Part => {
      if (condition !== undefined) return { kind: 'condition', text: condition };
      if (general !== undefined) return { kind: 'sign', text: '0' };
      if (sign !== undefined) return { kind: 'sign', text: sign };
      return { kind: 'literal', text: quoted ?? escaped ?? filled ?? currency ?? '' };
    },
  );
}

/** Not within quotes, brackets or behind a backslash. */
const sectionsOf = (format: string): readonly string[] => {
  const sections = [''];
  for (const [part] of format.matchAll(/"[^"]*"?|\\.|\[[^\]]*\]?|./gu)) {
    if (part === ';') sections.push('');
    else sections[sections.length - 1] += part;
  }
  return sections;
};

const ANY_DIGIT = /\p{Nd}/u;
/** Between digits these change no number that somebody reads. */
const SEPARATES = /^[\s'’()-]*$/u;
/** A thousand less for each comma behind the last digit in front of the decimals. */
const SCALES = /[0#?],+(?![0#?,])/;
/** Percents, fractions, powers of ten, and figures that are no digits of the value. */
const CHANGES = /[%‰1-9]|[0#?]\/|e[+-]/i;

/** Whether a number above zero is shown, and with its own digits. */
function showsNumber(format: string): boolean {
  const parts = partsOf(sectionsOf(format)[0] ?? '');
  if (parts.some(({ kind, text }) => kind === 'condition' || (kind === 'literal' && ANY_DIGIT.test(text))))
    return false;
  const signs = parts.map(({ kind, text }) => (kind === 'sign' && !/\s/.test(text) ? text : '')).join('');
  if (signs.includes('@')) return true;
  const places = parts.flatMap(({ kind, text }, place) =>
    kind === 'sign' && /[0#?]/.test(text) ? [place] : [],
  );
  const within = parts.slice(places[0], places.at(-1));
  const isBroken = within.some(({ kind, text }) => kind === 'literal' && !SEPARATES.test(text));
  return places.length > 0 && !isBroken && !SCALES.test(signs) && !CHANGES.test(signs);
}

/** The same of a text: without a section of its own it is shown as it is. */
function showsText(format: string): boolean {
  const sections = sectionsOf(format);
  const [first = ''] = sections;
  const section = sections[3] ?? (sections.length === 1 && first.includes('@') ? first : '@');
  const parts = partsOf(section);
  return (
    parts.some(({ kind, text }) => kind === 'sign' && text === '@') &&
    !parts.some(({ text }) => ANY_DIGIT.test(text))
  );
}

/** Whether a cell of this format shows what it holds. */
export function isShownAsIs(format: string, cell: Cell): boolean {
  if (typeof cell === 'number') return showsNumber(format);
  return typeof cell !== 'string' || showsText(format);
}
