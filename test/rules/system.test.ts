import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/tree-copy.ts';
import { importsFrom } from './imports.ts';

/** `npm test` stays below four minutes on two calm cores: what starts processes or servers runs with `npm run test:system`. */
const STARTS = /(?<!function )\b(?:startNavbat|startPostgres|startRedis)\(/;
/** It reads the rules of the routes from the file that has their fixtures, and calls none of these. */
const startsNone = 'test/rules/policy.test.ts';
const tests = join(root, 'test') + sep;
const isElsewhere = (path: string) =>
  /^test\/(?:journeys|chaos|bench|browser)\//.test(path) || /\.(?:system|simulation)\.test\.ts$/.test(path);
const starts = new Map<string, boolean>();

function startsItself(file: string): boolean {
  const known = starts.get(file) ?? STARTS.test(readFileSync(file, 'utf8'));
  starts.set(file, known);
  return known;
}

const whoStarts = (paths: readonly string[]): string[] =>
  paths.filter((path) =>
    importsFrom(join(root, path), (file) => file.startsWith(tests) && existsSync(file)).files.some(
      startsItself,
    ),
  );

test('a test that starts processes of Navbat, or servers of its own, is a journey or a .system.test.ts', () => {
  const inNpmTest = globSync('test/**/*.test.ts', { cwd: root }).filter((path) => !isElsewhere(path));
  expect(inNpmTest.length).toBeGreaterThan(100);
  expect(whoStarts(inNpmTest)).toEqual([startsNone]);
});

test('one that starts them by what it imports is seen', () => {
  const path = relative(root, join(import.meta.dirname, 'policy.system.test.ts'));
  expect(whoStarts([path])).toEqual([path]);
});
