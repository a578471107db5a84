import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

/** One word for one thing: what was renamed does not come back. The words of today are in `docs/map.md`. */
const root = resolve(import.meta.dirname, '../..');
/** Retired words, singular, in lower case, and what is said instead. */
const retired = new Map(
  Object.entries({
    lane: 'queue',
    ticket: 'queue entry',
    sweep: 'reconciler',
    sweeper: 'reconciler',
    swept: 'reconciled',
    sweeping: 'reconciling',
    releaser: 'scheduler',
    bulkhead: 'provider guard: circuit breaker and concurrency limit',
    seal: 'encrypt',
    sealed: 'encrypted',
    sealing: 'encryption',
    sealer: 'encryption',
    unsealed: 'decrypted',
    rewrap: 're-encrypt',
    rewrapped: 're-encrypted',
    reseed: 'rotate',
    reseeded: 'rotated',
    mouth: 'reply sender',
    deed: 'action',
    destiny: 'fault outcome',
    follower: 'subscriber',
    untold: 'pending',
    spine: 'core',
    judgement: 'class',
  }),
);
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

/** `laneLock`, `lane_lock` and `/ops/lanes` all hold `lane`. */
const wordsOf = (line: string): string[] =>
  line
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);

const isRetired = (word: string): boolean => retired.has(word) || retired.has(word.replace(/s$/, ''));

function found(text: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    const word = wordsOf(line).find(isRetired);
    return word === undefined
      ? []
      : [`${index + 1}: ${word}: now ${retired.get(word) ?? retired.get(word.replace(/s$/, ''))}`];
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
  ])('in %s', (text) => expect(found(text)).toHaveLength(1));
  test.each(['airplane', 'planes', 'revealed', 'chats'])('not in %s', (text) =>
    expect(found(text)).toEqual([]),
  );
});
