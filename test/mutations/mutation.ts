import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Edit {
  readonly from: string;
  readonly to: string;
}

/** One mistake, and the test that has to see it. */
export interface Mutation {
  readonly name: string;
  /** Below the root. Each edit's `from` stands in it once. */
  readonly file: string;
  readonly edits: readonly Edit[];
  readonly test: { readonly file: string; readonly name: string };
}

/** @throws where it does not fit the file, which has changed since. */
export function mutated({ name, file, edits }: Mutation, text: string): string {
  return edits.reduce((before, { from, to }) => {
    const parts = before.split(from);
    if (parts.length !== 2)
      throw new Error(`"${name}": ${file} has ${parts.length - 1} times, expected once: ${from}`);
    return parts.join(to);
  }, text);
}

/** @returns what brings the file back. */
export function mutate(directory: string, mutation: Mutation): () => void {
  const path = join(directory, mutation.file);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, mutated(mutation, text));
  return () => writeFileSync(path, text);
}
