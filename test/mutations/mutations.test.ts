import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/tree-copy.ts';
import { edited } from './mutation.ts';
import { mutations } from './mutations.ts';

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

// `npm run mutations` takes minutes; whether its table fits the tree is told here.
test.each(Object.values(mutations).flat())('$name: fits its files, and its test is there', (mutation) => {
  for (const edit of mutation.edits) {
    const text = textOf(edit.file);
    expect(edited(edit, text)).not.toBe(text);
  }
  const { file, name, isMade } = mutation.test;
  expect(isMade === true || textOf(file).includes(name), name).toBe(true);
});
