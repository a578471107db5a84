/** A formatted stretch of a message; offset and length in UTF-16 units, as Telegram counts them. */
export interface Entity {
  type: string;
  offset: number;
  length: number;
  url?: string;
  language?: string;
}
export interface FormattedText {
  text: string;
  entities: Entity[];
}
/** The reason that follows `Bad Request: can't parse entities: `. */
export interface ParseProblem {
  problem: string;
}

/** Characters of a text once its markup is read (Bot API, sendMessage), in UTF-16 units as Telegram counts them. */
export const TEXT_UNITS_MAX = 4_096;

/**
 * Reads a text in one of Telegram's three formats (Bot API, "Formatting options"); without a format it is plain. The intake and the
 * sandbox read by the same rules, so that what the one takes the other does not refuse.
 */
export function parseText(source: string, parseMode: string | undefined): FormattedText | ParseProblem {
  switch (parseMode?.toLowerCase() ?? '') {
    case '':
      return { text: source, entities: [] };
    case 'html':
      return new HtmlReader(source).read();
    case 'markdownv2':
      return new MarkdownReader(source, MARKDOWN_V2).read();
    case 'markdown':
      return new MarkdownReader(source, MARKDOWN_LEGACY).read();
    default:
      return { problem: 'unsupported parse_mode' };
  }
}

interface Open {
  type: string;
  /** What closes it: the tag's name or the marker itself. */
  closer: string;
  offset: number;
  url?: string;
  language?: string;
}

/** Gathers plain text and the entities over it; the same for all formats. */
class TextBuilder {
  text = '';
  readonly entities: Entity[] = [];
  readonly open: Open[] = [];

  close(): void {
    const opened = this.open.pop();
    if (!opened) return;
    const { closer: _closer, ...entity } = opened;
    const length = this.text.length - entity.offset;
    if (length > 0) this.entities.push({ ...entity, length });
  }

  result(): FormattedText {
    return {
      text: this.text,
      entities: this.entities.toSorted((a, b) => a.offset - b.offset || b.length - a.length),
    };
  }
}

const TAGS: Record<string, string> = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  u: 'underline',
  ins: 'underline',
  s: 'strikethrough',
  strike: 'strikethrough',
  del: 'strikethrough',
  'tg-spoiler': 'spoiler',
  span: 'spoiler',
  code: 'code',
  pre: 'pre',
  a: 'text_link',
  blockquote: 'blockquote',
  'tg-emoji': 'custom_emoji',
};
const NAMED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"' };
const TAG = /<(\/?)([^\s>]*)(?![^\s>])((?:[^>"']|"[^"]*"|'[^']*')*)>/iy;
const REFERENCE = /&(?:#x([0-9a-f]+)|#(\d+)|(lt|gt|amp|quot));?/iy;

class HtmlReader {
  readonly #source: string;
  readonly #builder = new TextBuilder();
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  read(): FormattedText | ParseProblem {
    while (this.#at < this.#source.length) {
      const character = this.#source[this.#at];
      const problem = character === '<' ? this.#tag() : character === '&' ? this.#reference() : this.#plain();
      if (problem !== undefined) return { problem };
    }
    const unclosed = this.#builder.open.at(-1);
    if (unclosed) return { problem: `Can't find end tag corresponding to start tag "${unclosed.closer}"` };
    return this.#builder.result();
  }

  #tag(): string | undefined {
    TAG.lastIndex = this.#at;
    const found = TAG.exec(this.#source);
    const offset = byteOffset(this.#source, this.#at);
    if (!found) return `Unclosed start tag at byte offset ${offset}`;
    const [whole, slash, rawName = '', attributes = ''] = found;
    this.#at += whole.length;
    const name = rawName.toLowerCase();
    if (slash === '/') return this.#endTag(name, offset);
    const type = TAGS[name];
    if (type === undefined) return `Unsupported start tag "${name}" at byte offset ${offset}`;
    if (name === 'span' && !/\bclass\s*=\s*(["']?)tg-spoiler\1/i.test(attributes))
      return `Tag "span" must have class "tg-spoiler" at byte offset ${offset}`;
    if (name === 'tg-emoji' && !/\bemoji-id\s*=/i.test(attributes))
      return `Custom emoji identifier is not specified at byte offset ${offset}`;
    const url = /\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')/i
      .exec(attributes)
      ?.slice(1)
      .find((value) => value !== undefined);
    const language = /\bclass\s*=\s*"language-([^"]*)"/i.exec(attributes)?.[1];
    this.#builder.open.push({
      type,
      closer: name,
      offset: this.#builder.text.length,
      ...(type === 'text_link' && url !== undefined ? { url } : {}),
      ...(language === undefined ? {} : { language }),
    });
    return undefined;
  }

  #endTag(name: string, offset: number): string | undefined {
    const opened = this.#builder.open.at(-1);
    if (!opened) return `Unexpected end tag at byte offset ${offset}`;
    if (name !== '' && name !== opened.closer) {
      return `Unmatched end tag at byte offset ${offset}, expected "</${opened.closer}>", found "</${name}>"`;
    }
    this.#builder.close();
    return undefined;
  }

  #reference(): undefined {
    REFERENCE.lastIndex = this.#at;
    const found = REFERENCE.exec(this.#source);
    const [whole = '&', hex, decimal, name] = found ?? [];
    const codePoint =
      hex !== undefined ? parseInt(hex, 16) : decimal !== undefined ? parseInt(decimal, 10) : undefined;
    const decoded = codePoint === undefined ? NAMED[name?.toLowerCase() ?? ''] : characterOf(codePoint);
    this.#builder.text += decoded ?? whole;
    this.#at += whole.length;
  }

  #plain(): undefined {
    this.#builder.text += this.#source[this.#at];
    this.#at += 1;
  }
}

interface MarkdownFlavour {
  /** Longest first, so that `__` is not read as two `_`. */
  markers: readonly [marker: string, type: string][];
  /** What a backslash may stand before. */
  escapable: RegExp;
  /** What must not stand alone. */
  reserved: string;
}
const MARKDOWN_V2: MarkdownFlavour = {
  markers: [
    ['```', 'pre'],
    ['||', 'spoiler'],
    ['__', 'underline'],
    ['*', 'bold'],
    ['_', 'italic'],
    ['~', 'strikethrough'],
    ['`', 'code'],
  ],
  // Any character of ASCII.
  escapable: /^[ -~\t\n]$/,
  reserved: '_*[]()~`>#+-=|{}.!',
};
const MARKDOWN_LEGACY: MarkdownFlavour = {
  markers: [
    ['```', 'pre'],
    ['*', 'bold'],
    ['_', 'italic'],
    ['`', 'code'],
  ],
  escapable: /^[_*`[]$/,
  reserved: '',
};
const LINK_TAIL = /\]\(((?:\\.|[^)\\])*)\)/y;

class MarkdownReader {
  readonly #source: string;
  readonly #flavour: MarkdownFlavour;
  readonly #builder = new TextBuilder();
  #at = 0;

  constructor(source: string, flavour: MarkdownFlavour) {
    this.#source = source;
    this.#flavour = flavour;
  }

  read(): FormattedText | ParseProblem {
    while (this.#at < this.#source.length) {
      const problem = this.#step();
      if (problem !== undefined) return { problem };
    }
    const unclosed = this.#builder.open.at(-1);
    if (unclosed)
      return {
        problem: `Can't find end of ${unclosed.type} entity at byte offset ${byteOffset(this.#source, this.#source.length)}`,
      };
    return this.#builder.result();
  }

  #step(): string | undefined {
    const rest = this.#source.slice(this.#at, this.#at + 3);
    const next = rest[1] ?? '';
    if (rest[0] === '\\' && this.#flavour.escapable.test(next)) return this.#take(next, 2);
    const opened = this.#builder.open.at(-1);
    if (opened && (opened.type === 'code' || opened.type === 'pre') && !rest.startsWith(opened.closer))
      return this.#take(rest[0], 1);
    if (opened?.closer === ']' && rest.startsWith(']')) return this.#endLink(opened);
    const quote = this.#quoteAt(rest);
    if (quote > 0) return this.#take('', quote);
    const marker = this.#flavour.markers.find(([sign]) => rest.startsWith(sign));
    if (marker) return this.#toggle(...marker);
    if (rest[0] === '[') return this.#start('text_link', ']', 1);
    if (this.#isV2 && rest.startsWith('![')) return this.#start('custom_emoji', ']', 2);
    if (this.#flavour.reserved.includes(rest[0] ?? ' ')) {
      return `Character '${rest[0]}' is reserved and must be escaped with the preceding '\\'`;
    }
    return this.#take(rest[0], 1);
  }

  get #isV2(): boolean {
    return this.#flavour === MARKDOWN_V2;
  }

  /** Characters of the marks that begin a line of a quotation (`>`, `**>`), or end one that folds (`||`); else 0. */
  #quoteAt(rest: string): number {
    if (!this.#isV2) return 0;
    if (this.#at === 0 || this.#source[this.#at - 1] === '\n') {
      if (rest[0] === '>') return 1;
      if (rest === '**>') return 3;
    }
    if (!/^\|\|(?:\n|$)/.test(rest)) return 0;
    const line = this.#source.slice(this.#source.lastIndexOf('\n', this.#at) + 1, this.#at);
    const isSpoiler = this.#builder.open.some(({ closer }) => closer === '||');
    return !isSpoiler && /^(?:\*\*)?>/.test(line) ? 2 : 0;
  }

  #take(text: string | undefined, length: number): undefined {
    this.#builder.text += text ?? '';
    this.#at += length;
  }

  #toggle(marker: string, type: string): string | undefined {
    const { open } = this.#builder;
    if (open.at(-1)?.closer === marker) {
      this.#builder.close();
      this.#at += marker.length;
      return undefined;
    }
    if (open.some(({ closer }) => closer === marker)) {
      return `Can't find end of ${open.at(-1)?.type} entity at byte offset ${byteOffset(this.#source, this.#at)}`;
    }
    return this.#start(type, marker, marker.length);
  }

  #start(type: string, closer: string, length: number): undefined {
    this.#builder.open.push({ type, closer, offset: this.#builder.text.length });
    this.#at += length;
  }

  #endLink(opened: Open): string | undefined {
    LINK_TAIL.lastIndex = this.#at;
    const found = LINK_TAIL.exec(this.#source);
    if (!found) return `Can't find end of a URL at byte offset ${byteOffset(this.#source, this.#at)}`;
    opened.url = (found[1] ?? '').replace(/\\(.)/g, '$1');
    this.#builder.close();
    this.#at += found[0].length;
    return undefined;
  }
}

function characterOf(codePoint: number): string | undefined {
  return codePoint > 0 && codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : undefined;
}

function byteOffset(text: string, index: number): number {
  return new TextEncoder().encode(text.slice(0, index)).length;
}
