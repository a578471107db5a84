/** What of a text a template leaves open: digits, or words between blanks. */
interface Open {
  readonly kind: 'digits' | 'words';
  readonly min: number;
  readonly max: number;
}
type Part = { readonly kind: 'text'; readonly text: string } | Open;

/** `%d`, `%w`, each with `{n}` or `{n,m}` behind it. */
const placeholder = /%([dw])(?:\{(\d{1,3})(?:,(\d{1,3}))?\})?/g;
/** As many digits, or words, as `%d{1,…}` and `%w{1,…}` may stand for. */
const OPEN_MAX = 999;

/**
 * Whether an approved text of an aggregator covers a message: `%d` is a number, `%w` a word, `%d{6}` six digits, `%w{1,3}` one to three
 * words. Runs of blanks count as one. Takes time in proportion to the two lengths, whatever the template.
 */
export function matchesTemplate(template: string, text: string): boolean {
  const letters = plain(text);
  let ends = new Set([0]);
  for (const part of partsOf(plain(template))) {
    ends = new Set([...ends].flatMap((start) => endsOf(part, letters, start)));
    if (ends.size === 0) return false;
  }
  return ends.has(letters.length);
}

const plain = (text: string): string => text.normalize('NFC').replace(/\s+/g, ' ').trim();

function partsOf(template: string): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const match of template.matchAll(placeholder)) {
    const [whole, letter, min, max] = match;
    parts.push({ kind: 'text', text: template.slice(from, match.index) });
    parts.push(letter === 'd' ? open('digits', OPEN_MAX, min, max) : open('words', 1, min, max));
    from = match.index + whole.length;
  }
  return [...parts, { kind: 'text', text: template.slice(from) }];
}

/** Without a count a number has any length, and a word is one. */
function open(kind: Open['kind'], most: number, min: string | undefined, max: string | undefined): Open {
  if (min === undefined) return { kind, min: 1, max: most };
  return { kind, min: Number(min), max: Number(max ?? min) };
}

/** Where a part that starts here may end. */
function endsOf(part: Part, text: string, start: number): number[] {
  if (part.kind === 'text') return text.startsWith(part.text, start) ? [start + part.text.length] : [];
  const ends: number[] = part.min === 0 ? [start] : [];
  let count = 0;
  for (let at = start; at < text.length; at++) {
    const isOfIt = part.kind === 'digits' ? isDigit(text[at]) : text[at] !== ' ';
    // One blank parts two words; digits are not parted.
    if (!isOfIt && (part.kind === 'digits' || at === start)) break;
    if (part.kind === 'digits' || (isOfIt && (at === start || text[at - 1] === ' '))) count += 1;
    if (count > part.max) break;
    if (isOfIt && count >= part.min) ends.push(at + 1);
  }
  return ends;
}

const isDigit = (letter = ''): boolean => letter >= '0' && letter <= '9';
