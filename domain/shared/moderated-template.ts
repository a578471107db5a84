/** What of a text a template leaves open: digits, or words between blanks. */
interface Open {
  readonly kind: 'digits' | 'words';
  readonly min: number;
  readonly max: number;
}
interface Literal {
  readonly kind: 'text';
  readonly text: string;
}

/** An approved text of an aggregator, ready to be matched. */
export interface CompiledTemplate {
  readonly parts: readonly (Open | Literal)[];
  /** Whole words that stand in each text that it covers, none with a digit. */
  readonly words: readonly string[];
  /** It asks for certain digits, so that two codes of one wording may differ. */
  readonly hasDigits: boolean;
}

/** What is left of the work that one question may cost, in letters looked at. */
export interface Work {
  left: number;
}

/** `%d`, `%w`, each with `{n}` or `{n,m}` behind it. */
const placeholder = /%([dw])(?:\{(\d{1,3})(?:,(\d{1,3}))?\})?/g;
/** As many digits, or words, as `%d{1,…}` and `%w{1,…}` may stand for: three digits, longer than any SMS. */
const OPEN_MAX = 999;
/** So many letters of a text that stands fast are compared in the time of one step of a placeholder. */
const LETTERS_AT_ONCE = 16;
/** Texts of codes have up to ten. Each costs one look at the whole message. */
const PLACEHOLDERS_MAX = 30;

/**
 * `%d` is a number, `%w` a word, `%d{6}` six digits, `%w{1,3}` one to three words. Runs of blanks count as one. Null where we can't
 * read it: a count of another form, one that is upside down, or too many placeholders.
 */
export function compileTemplate(template: string): CompiledTemplate | null {
  const letters = plainText(template);
  const parts: (Open | Literal)[] = [];
  let from = 0;
  for (const match of letters.matchAll(placeholder)) {
    const [whole, letter, min, max] = match;
    const part = letter === 'd' ? open('digits', OPEN_MAX, min, max) : open('words', 1, min, max);
    const isOdd = (min === undefined && letters[match.index + whole.length] === '{') || part.min > part.max;
    if (isOdd) return null;
    parts.push({ kind: 'text', text: letters.slice(from, match.index) }, part);
    from = match.index + whole.length;
  }
  parts.push({ kind: 'text', text: letters.slice(from) });
  if (parts.length > 2 * PLACEHOLDERS_MAX + 1) return null;
  const hasDigits = parts.some((part) => part.kind === 'text' && /\p{Nd}/u.test(part.text));
  return { parts, words: parts.flatMap(wholeWords), hasDigits };
}

/** What touches a placeholder may go on in it. */
function wholeWords(part: Open | Literal, at: number, { length }: readonly unknown[]): string[] {
  if (part.kind !== 'text') return [];
  const words = part.text.split(' ').slice(at === 0 ? 0 : 1);
  return (at === length - 1 ? words : words.slice(0, -1)).filter(
    (word) => word !== '' && !/\p{Nd}/u.test(word),
  );
}

/** Whether an approved text covers a message. */
export function matchesTemplate(template: string, text: string): boolean {
  const compiled = compileTemplate(template);
  return compiled !== null && covers(compiled, plainText(text), { left: Infinity });
}

/**
 * Each part looks at each letter of the message once, and at each of its own letters where it may start.
 *
 * @param letters as `plainText` makes them.
 * @param work spent here. Where it was too little the answer is no, and `left` is below zero.
 */
export function covers({ parts }: CompiledTemplate, letters: string, work: Work): boolean {
  let starts: readonly number[] = [0];
  for (const part of parts) {
    work.left -=
      part.kind === 'text' ? starts.length * (1 + part.text.length / LETTERS_AT_ONCE) : letters.length + 1;
    if (work.left < 0) return false;
    starts = endsOf(part, letters, starts);
    if (starts.length === 0) return false;
  }
  return starts.at(-1) === letters.length;
}

export const plainText = (text: string): string => text.normalize('NFC').replace(/\s+/g, ' ').trim();

/** Without a count a number has any length, and a word is one. */
function open(kind: Open['kind'], most: number, min: string | undefined, max: string | undefined): Open {
  if (min === undefined) return { kind, min: 1, max: most };
  return { kind, min: Number(min), max: Number(max ?? min) };
}

/** Where a part that starts at one of these places may end. Both rise. */
function endsOf(part: Open | Literal, text: string, starts: readonly number[]): number[] {
  if (part.kind === 'text')
    return starts
      .filter((start) => text.startsWith(part.text, start))
      .map((start) => start + part.text.length);
  const ends = part.kind === 'digits' ? digitEnds(part, text, starts) : wordEnds(part, text, starts);
  return part.min === 0 ? merged(starts, ends) : ends;
}

/** Each once, in their order. */
function merged(one: readonly number[], other: readonly number[]): number[] {
  const all: number[] = [];
  let next = 0;
  for (const place of one) {
    for (; (other[next] ?? Infinity) <= place; next++) if (other[next] !== place) all.push(other[next] ?? 0);
    all.push(place);
  }
  return [...all, ...other.slice(next)];
}

/** Of the starts that are far enough behind an end, the nearest one decides: if that is too far, so are all. */
function digitEnds({ min, max }: Open, text: string, starts: readonly number[]): number[] {
  const ends: number[] = [];
  const least = Math.max(1, min);
  let run = 0;
  let next = 0;
  for (let end = 1; end <= text.length; end++) {
    run = isDigit(text[end - 1]) ? run + 1 : 0;
    while ((starts[next] ?? Infinity) <= end - least) next += 1;
    const nearest = starts[next - 1] ?? -Infinity;
    if (end - nearest <= Math.min(run, max)) ends.push(end);
  }
  return ends;
}

/** One blank parts two words. Those from a start to an end are one more than the words that begin between them. */
function wordEnds({ min, max }: Open, text: string, starts: readonly number[]): number[] {
  const ends: number[] = [];
  const least = Math.max(1, min);
  /** Of each start that was passed: how many words begin up to it. */
  const begun: number[] = [];
  const first = starts.filter((start) => start < text.length && text[start] !== ' ');
  let words = 0;
  let passed = 0;
  let next = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === ' ') continue;
    if (at > 0 && text[at - 1] === ' ') words += 1;
    if (first[passed] === at) {
      begun.push(words);
      passed += 1;
    }
    while ((begun[next] ?? Infinity) <= 1 + words - least) next += 1;
    if (1 + words - (begun[next - 1] ?? -Infinity) <= max) ends.push(at + 1);
  }
  return ends;
}

const isDigit = (letter = ''): boolean => letter >= '0' && letter <= '9';
