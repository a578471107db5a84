/** Markup that is safe to send as it is. Only `html` makes one, and whoever draws a picture of nothing but shapes. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a hole of a template. Nothing, false and null leave no trace, so that `condition && html…` reads well. */
export type Fragment = Html | string | number | null | undefined | false | readonly Fragment[];

/**
 * Puts markup together. Every hole is escaped, in text and in quoted attributes alike, unless it is markup itself: what
 * a provider, a project or a request wrote can't become a tag.
 */
export function html(strings: TemplateStringsArray, ...holes: readonly Fragment[]): Html {
  return new Html(strings.reduce((text, part, index) => text + filled(holes[index - 1]) + part));
}

function filled(hole: Fragment): string {
  if (hole === null || hole === undefined || hole === false) return '';
  if (hole instanceof Html) return hole.text;
  if (typeof hole === 'string') return escaped(hole);
  if (typeof hole === 'number') return String(hole);
  return hole.map(filled).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string) => text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
