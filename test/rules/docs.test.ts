import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

/** Documents that name files and commands go wrong silently; what a machine can check in them, this does. */
const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const adrs = readdirSync(join(root, 'docs/adr')).filter((name) => name.endsWith('.md'));
const guides = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const documents = [
  'README.md',
  'CHANGELOG.md',
  ...guides.map((name) => `docs/${name}`),
  ...adrs.map((name) => `docs/adr/${name}`),
];
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read('package.json')));

describe.each(documents)('%s', (path) => {
  test('links to files that exist', () => {
    const links = [...read(path).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link = '']) => link);
    const missing = links.filter(
      (link) => !/^https?:/.test(link) && !existsSync(join(root, dirname(path), link)),
    );
    expect(missing).toEqual([]);
  });

  test('names npm scripts that exist', () => {
    const named = [...read(path).matchAll(/npm run ([a-z][\w:-]*)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

/** Git keeps no empty folders, and a checkout may still hold some. */
const isInhabited = (path: string): boolean => statSync(path).isDirectory() && readdirSync(path).length > 0;

describe('the map', () => {
  const map = read('docs/map.md');
  const tree = map.slice(map.indexOf('## The tree'), map.indexOf('## The straight line'));
  const named = [...tree.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, path = '']) => path);

  test('names only what exists', () => {
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test.each(['apps', 'domain', 'infra'])('names every folder of %s/', (layer) => {
    const folders = readdirSync(join(root, layer)).filter((name) => isInhabited(join(root, layer, name)));
    expect(named).toEqual(expect.arrayContaining(folders.map((name) => `${layer}/${name}/`)));
  });

  test('lists every decision', () => {
    const listed = [...map.matchAll(/\]\(adr\/([^)]+\.md)\)/g)].map(([, name]) => name);
    expect(listed).toEqual(adrs.toSorted());
  });
});

test('decisions are numbered without a gap', () => {
  expect(adrs.toSorted().map((name) => Number(name.slice(0, 4)))).toEqual(adrs.map((_, index) => index + 1));
});

test.each(adrs)('%s gives context, decision, drawbacks and alternatives', (name) => {
  const headings = [...read(`docs/adr/${name}`).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual(['Context', 'Decision', 'Drawbacks', 'Alternatives']);
});

test('README gives exactly the two commands that a newcomer needs', () => {
  const blocks = [...read('README.md').matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) =>
    block.trim(),
  );
  expect(blocks.slice(0, 2)).toEqual(['npm ci && npm start', 'npm ci && npm test']);
  expect(blocks[2]?.split('\n')).toHaveLength(5);
});
