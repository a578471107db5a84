import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

/** One word for one thing: what was renamed does not come back. The words of today are in `docs/map.md`. */
const root = resolve(import.meta.dirname, '../..');
/** Retired words in lower case, each with its endings, and what is said instead. */
const retired: readonly (readonly [RegExp, string])[] = [
  [/^lanes?$/, 'queue'],
  [/^tickets?$/, 'queue entry'],
  [/^(sweep\w*|swept)$/, 'reconciler, reconciled'],
  [/^releasers?$/, 'scheduler'],
  [/^bulkheads?$/, 'provider guard: circuit breaker and concurrency limit'],
  [/^seal\w*$/, 'encrypt'],
  [/^unseal\w*$/, 'decrypt'],
  [/^(reseal|rewrap)\w*$/, 're-encrypt'],
  [/^reseed\w*$/, 'rotate'],
  [/^mouths?$/, 'reply sender'],
  [/^deeds?$/, 'action'],
  [/^destin(y|ies)$/, 'fault outcome'],
  [/^followers?$/, 'subscriber'],
  [/^untold$/, 'pending'],
  [/^spines?$/, 'core'],
  [/^judg(e|es|ed|ing|e?ments?)$/, 'class, classify'],
];
/** History keeps the words of its time; the lock file holds names of others. */
const excepted = new Set(['CHANGELOG.md', 'package-lock.json', relative(root, import.meta.filename)]);
const skipped = new Set(['node_modules', '.git']);
const texts = /\.(ts|md|css|ya?ml|json|html|sh|sql|svg)$|(^|\/)\.(env\.example|ci\/run)$/;

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : filesUnder(path);
    return texts.test(path) ? [path] : [];
  });
}

/** `laneLock`, `HTTPLane`, `lane_lock` and `/ops/lanes` all hold `lane`. */
const wordsOf = (line: string): string[] =>
  line
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);

function found(text: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    for (const word of wordsOf(line)) {
      const now = retired.find(([stem]) => stem.test(word))?.[1];
      if (now !== undefined) return [`${index + 1}: ${word}: now ${now}`];
    }
    return [];
  });
}

const files = filesUnder(root)
  .map((path) => relative(root, path))
  .filter((path) => !excepted.has(path));

test('no file says a retired word, in its name or its text', () => {
  expect(files.length).toBeGreaterThan(900);
  const faults = files.flatMap((path) =>
    [...found(path), ...found(readFileSync(join(root, path), 'utf8'))].map((fault) => `${path}:${fault}`),
  );
  expect(faults).toEqual([]);
});

describe('a retired word is found', () => {
  test.each([
    'laneLock',
    'select from worker where swept_at',
    '/ops/lanes',
    'BullMQ tickets',
    'token_sealed',
    'HTTPLane',
    'resealed',
    'unsealing',
    'rewrapping',
    'reseeding',
    'judged',
    'destinies',
  ])('in %s', (text) => expect(found(text)).toHaveLength(1));
  test.each(['airplane', 'planes', 'revealed', 'chats', 'destination', 'wrapped', 'seeded'])(
    'not in %s',
    (text) => expect(found(text)).toEqual([]),
  );
});
