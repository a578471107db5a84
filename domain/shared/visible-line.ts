/**
 * One line that reads as it was meant, wherever a person reads what somebody else wrote: without line breaks, without what turns the
 * direction of writing or is not seen, and with something to see at both ends.
 */
export const VISIBLE_LINE = /^[^\s\p{C}\p{Zl}\p{Zp}](?:[^\p{C}\p{Zl}\p{Zp}]*[^\s\p{C}\p{Zl}\p{Zp}])?$/u;

/** The same of a text that can't be refused: what must not be in it becomes one space. */
export const visibleLine = (text: string): string => text.replace(/[\s\p{C}]+/gu, ' ').trim();

/** What a visible line may not hold anywhere; between the lines of a longer text a line feed is seen. */
const HIDDEN = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u;

/** The first such letter of a text of several lines, as `U+202E`; null where there is none. */
export function hiddenLetter(text: string): string | null {
  const found = HIDDEN.exec(text)?.[0].codePointAt(0);
  return found === undefined ? null : `U+${found.toString(16).toUpperCase().padStart(4, '0')}`;
}
