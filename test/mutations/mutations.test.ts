import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/tree-copy.ts';
import { type Edit, edited } from './mutation.ts';
import { mutations } from './mutations.ts';

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');
const all = Object.values(mutations).flat();

// `npm run mutations` takes minutes; whether its table fits the tree is told here.
test.each(all)('$name: fits its files, and its test is there', (mutation) => {
  for (const edit of mutation.edits) {
    const text = textOf(edit.file);
    expect(edited(edit, text)).not.toBe(text);
  }
  const { file, name, isMade } = mutation.test;
  expect(isMade === true || textOf(file).includes(name), name).toBe(true);
});

const CREATE = /create (?:or replace )?function (\w+)\(/g;
const definitions = globSync('infra/postgres/*/migrations/*.ts', { cwd: root }).map((file) => ({
  file,
  functions: [...textOf(file).matchAll(CREATE)].map(([, name]) => name),
}));

/** Of a change within the body of a function. */
function functionOf({ file, from }: Edit): string | undefined {
  const text = textOf(file);
  const at = text.indexOf(from);
  const before = [...text.matchAll(CREATE)].findLast(({ index }) => index < at);
  const ends = before && text.indexOf('$$', text.indexOf('$$', before.index) + 2);
  return ends !== undefined && at < ends ? before?.[1] : undefined;
}

// One that is made where nothing runs any more would be no mistake.
test.each(all)('$name: of a function it changes the newest version', ({ edits }) => {
  for (const edit of edits.filter(({ file }) => file.includes('/migrations/'))) {
    const name = functionOf(edit);
    const later = definitions.filter(
      ({ file, functions }) =>
        name !== undefined && functions.includes(name) && basename(file) > basename(edit.file),
    );
    expect(later.map(({ file }) => `${name} is in ${file} now`)).toEqual([]);
  }
});
