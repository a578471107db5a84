import type { Cell } from '../../domain/pay/list/cell.ts';
import { isShownAsIs } from '../../domain/pay/list/number-format.ts';
import { attribute, numberOf, plainText, withoutComments } from './xlsx-tags.ts';

/** How a cell looks, by the number of its style (ECMA-376, part 1, 18.8). */
export interface CellStyle {
  readonly format: string;
  /** Its letters have the colour of the cell, or are too small to be seen. */
  readonly isUnseen: boolean;
}

/** Of those that every spreadsheet has, what changes a number. Dates and times are told by what the cell holds. */
const BUILT_IN = new Map([
  [9, '0%'],
  [10, '0.00%'],
  [11, '0.00E+00'],
  [12, '# ?/?'],
  [13, '# ??/??'],
  [48, '##0.0E+0'],
]);
const GENERAL = 'General';
/** Letters of a smaller font are dots. */
const SEEN_FROM_POINTS = 4;

/** The styles by which a cell may show something else than it holds: nearly always none. */
export function oddStyles(file: string): ReadonlyMap<number, CellStyle> {
  const xml = withoutComments(file);
  const formats = new Map(
    tagsIn(within(xml, 'numFmts'), 'numFmt').map((tag) => [numberOf(tag, 'numFmtId'), formatOf(tag)]),
  );
  const fonts = blocksIn(within(xml, 'fonts'), 'font').map((font) => ({
    colour: colourOf(font, 'color') ?? 'automatic',
    isSeen: tagsIn(font, 'sz').every(
      (size) => (numberOf(size, 'val') ?? SEEN_FROM_POINTS) >= SEEN_FROM_POINTS,
    ),
  }));
  const fills = blocksIn(within(xml, 'fills'), 'fill').map((fill) => colourOf(fill, 'fgColor') ?? WHITE);
  const styles = tagsIn(within(xml, 'cellXfs'), 'xf').map((tag): CellStyle => {
    const number = (name: string) => numberOf(tag, name) ?? 0;
    const id = number('numFmtId');
    const format = formats.get(id) ?? BUILT_IN.get(id) ?? GENERAL;
    const font = fonts[number('fontId')];
    const isUnseen = font?.isSeen === false || font?.colour === (fills[number('fillId')] ?? WHITE);
    return { format, isUnseen };
  });
  return new Map([...styles.entries()].filter(([, style]) => isOdd(style)));
}

/** Whether a rule of the file (its conditional formats) shows values as something else. */
export const hasOddRule = (file: string): boolean =>
  tagsIn(within(withoutComments(file), 'dxfs'), 'numFmt').some((tag) =>
    isOdd({ format: formatOf(tag), isUnseen: false }),
  );

const formatOf = (tag: string): string => plainText(attribute(tag, 'formatCode') ?? GENERAL);
const isOdd = ({ format, isUnseen }: CellStyle) =>
  isUnseen || examples.some((cell) => !isShownAsIs(format, cell));
const examples: readonly Cell[] = [1, 'a'];

const tagsIn = (xml: string, name: string): readonly string[] =>
  xml.match(new RegExp(`<(?:\\w+:)?${name}\\s(?:[^<>"']|"[^"<]*"|'[^'<]*')*>`, 'g')) ?? [];
/** What stands in the first element of this name. */
const within = (xml: string, name: string): string =>
  new RegExp(`<(?:\\w+:)?${name}[\\s>]`).test(xml)
    ? (xml.split(new RegExp(`</?(?:\\w+:)?${name}(?=[\\s>])`), 2)[1] ?? '')
    : '';
/** Each element of this name, with what is in it. None holds another of its name. */
const blocksIn = (xml: string, name: string): readonly string[] =>
  xml.split(new RegExp(`<(?:\\w+:)?${name}(?=[\\s/>])`)).slice(1);

const WHITE = 'white';
/** So light that on white it is not seen. */
const LIGHT = /^(?:f[\da-f]){3}$/;
/** Of the theme the first is the window. */
const WINDOW = 0;
/** Of the old palette. */
const WHITES: ReadonlySet<number> = new Set([1, 9]);

/** Null where none is named. */
function colourOf(block: string, name: string): string | null {
  const [tag] = tagsIn(block, name);
  if (tag === undefined) return null;
  const rgb = attribute(tag, 'rgb');
  if (rgb !== null) {
    const colour = plainText(rgb).slice(-6).toLowerCase();
    return LIGHT.test(colour) ? WHITE : `rgb ${colour}`;
  }
  const [theme, indexed, tint] = [
    numberOf(tag, 'theme'),
    numberOf(tag, 'indexed'),
    numberOf(tag, 'tint') ?? 0,
  ];
  if (theme !== null) return theme === WINDOW && tint === 0 ? WHITE : `theme ${theme} ${tint}`;
  if (indexed === null) return null;
  return WHITES.has(indexed) ? WHITE : `indexed ${indexed}`;
}
