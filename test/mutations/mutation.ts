import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Edit {
  /** Below the root. `from` stands in it once. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** One mistake, and the test that has to see it. */
export interface Mutation {
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly test: {
    readonly file: string;
    /** Of the test, or a part of it. `isMade`: it stands in the file in other words. */
    readonly name: string;
    readonly isMade?: true;
  };
}

/** @throws where it does not fit the file, which has changed since. */
export function edited({ file, from, to }: Edit, text: string): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times, expected once: ${from}`);
  return parts.join(to);
}

/** @returns what brings the files back. */
export function mutate(directory: string, { edits }: Mutation): () => void {
  const before = new Map<string, string>();
  for (const edit of edits) {
    const path = join(directory, edit.file);
    const text = readFileSync(path, 'utf8');
    if (!before.has(path)) before.set(path, text);
    writeFileSync(path, edited(edit, text));
  }
  return () => {
    for (const [path, text] of before) writeFileSync(path, text);
  };
}
