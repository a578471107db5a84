import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/tree-copy.ts';
import { mutated } from './mutation.ts';
import { mutations } from './mutations.ts';

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

// `npm run mutations` takes minutes; whether its table fits the tree is told here.
test.each(Object.values(mutations).flat())('$name: fits its file, and its test is there', (mutation) => {
  const text = textOf(mutation.file);
  expect(mutated(mutation, text)).not.toBe(text);
  expect(textOf(mutation.test.file).includes(mutation.test.name), mutation.test.name).toBe(true);
});
