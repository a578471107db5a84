/** Not seen, turns the direction of writing, or breaks the line: everywhere. U+2800 is a Braille sign without dots. */
const HIDDEN = String.raw`\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800`;
/** U+FE0F is seen by what it does to the sign before it, and nowhere else. */
const EMOJI = String.raw`\p{Extended_Pictographic}\uFE0F|[\d#*]\uFE0F\u20E3`;

/**
 * One line that reads as it was meant, wherever a person reads what somebody else wrote: without line breaks, without what turns the
 * direction of writing or is not seen, and with something to see at both ends.
 */
export const VISIBLE_LINE = new RegExp(`^(?!\\s)(?!.*\\s$)(?:${EMOJI}|[^${HIDDEN}])+$`, 'u');

const notSeen = new RegExp(`(${EMOJI})|[\\s${HIDDEN}]+`, 'gu');
/** The same of a text that can't be refused: what must not be in it becomes one space. */
export const visibleLine = (text: string): string =>
  text.replace(notSeen, (_all, emoji?: string) => emoji ?? ' ').trim();

const emojis = new RegExp(EMOJI, 'gu');
/** What a visible line may not hold anywhere; between the lines of a longer text a line feed is seen. */
const hidden = new RegExp(`(?!\\n)[${HIDDEN}]`, 'u');

/** The first such letter of a text of several lines, as `U+202E`; null where there is none. */
export function hiddenLetter(text: string): string | null {
  const found = hidden.exec(text.replace(emojis, ''))?.[0].codePointAt(0);
  return found === undefined ? null : `U+${found.toString(16).toUpperCase().padStart(4, '0')}`;
}
