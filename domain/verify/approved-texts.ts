import {
  type CompiledTemplate,
  compileTemplate,
  covers,
  plainText,
  type Work,
} from '../shared/moderated-template.ts';

/** One text of a provider's list, as it was read. */
export interface ListedTemplate {
  readonly template: string;
  readonly isApproved: boolean;
  /** The provider's word for its state. */
  readonly status: string;
}
export type DatedTemplate = ListedTemplate & { readonly since: Date };

/** What covers a text: the first that is approved, and the first that is not. Null where that took too much work to find out. */
export interface Covering {
  readonly approved: DatedTemplate | null;
  readonly waiting: DatedTemplate | null;
}

export interface ApprovedTexts {
  covering(text: string): Covering | null;
}

/** Two hundred honest texts looked at to their end; about 5 ms of the event loop at the most. */
const WORK_MAX = 100_000;
/** Projects have some wordings each, in six languages. */
const RESULTS_MAX = 2_000;

interface Entry {
  readonly listed: DatedTemplate;
  readonly compiled: CompiledTemplate;
  readonly at: number;
}

/** A list, made ready once: a text is compared only with those whose rarest word it has. */
export function approvedTexts(templates: readonly DatedTemplate[]): ApprovedTexts {
  const entries = templates.flatMap((listed, at): Entry[] => {
    const compiled = compileTemplate(listed.template);
    return compiled ? [{ listed, compiled, at }] : [];
  });
  const { byWord, wordless } = indexed(entries);
  const results = new Map<string, Covering | null>();
  return {
    covering: (text) => {
      const letters = plainText(text);
      const key = shapeOf(letters);
      const known = results.get(key);
      if (known !== undefined) return known;
      const words = [...new Set(letters.split(' '))];
      const candidates = [...wordless, ...words.flatMap((word) => byWord.get(word) ?? [])];
      const result = coveringOf(candidates, letters);
      if (!candidates.some(({ compiled }) => compiled.hasDigits)) keep(results, key, result);
      return result;
    },
  };
}

/** One for all codes, and another for each wording. No text can take the shape of another one's digits. */
const shapeOf = (letters: string): string =>
  letters.replace(/[0-9#]/g, (letter) => (letter === '#' ? '#h' : '#d'));

function keep(results: Map<string, Covering | null>, key: string, result: Covering | null): void {
  const [oldest] = results.keys();
  if (results.size >= RESULTS_MAX && oldest !== undefined) results.delete(oldest);
  results.set(key, result);
}

function indexed(entries: readonly Entry[]) {
  const counts = new Map<string, number>();
  for (const { compiled } of entries)
    for (const word of new Set(compiled.words)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const countOf = (word: string) => counts.get(word) ?? 0;
  const byWord = new Map<string, Entry[]>();
  const wordless: Entry[] = [];
  for (const entry of entries) {
    const [first, ...others] = entry.compiled.words;
    if (first === undefined) {
      wordless.push(entry);
      continue;
    }
    const rarest = others.reduce((best, word) => (countOf(word) < countOf(best) ? word : best), first);
    const same = byWord.get(rarest);
    if (same) same.push(entry);
    else byWord.set(rarest, [entry]);
  }
  return { byWord, wordless };
}

function coveringOf(candidates: readonly Entry[], letters: string): Covering | null {
  const work: Work = { left: WORK_MAX };
  let waiting: DatedTemplate | null = null;
  for (const { compiled, listed } of candidates.toSorted((a, b) => a.at - b.at)) {
    const isCovered = (listed.isApproved || !waiting) && covers(compiled, letters, work);
    if (work.left < 0) return null;
    if (isCovered && listed.isApproved) return { approved: listed, waiting };
    if (isCovered) waiting ??= listed;
  }
  return { approved: null, waiting };
}
