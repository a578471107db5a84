import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { alarmKinds } from '../../domain/staff/alarms.ts';

/** Documents that name files and commands go wrong silently; what a machine can check in them, this does. */
const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const adrs = readdirSync(join(root, 'docs/adr')).filter((name) => name.endsWith('.md'));
const guides = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const documents = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...guides.map((name) => `docs/${name}`),
  ...adrs.map((name) => `docs/adr/${name}`),
];
const { scripts, devDependencies } = z
  .object({
    scripts: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(read('package.json')));

describe.each(documents)('%s', (path) => {
  test('links to files that exist', () => {
    const links = [...read(path).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link = '']) => link);
    const missing = links.filter(
      (link) => !/^https?:/.test(link) && !existsSync(join(root, dirname(path), link)),
    );
    expect(missing).toEqual([]);
  });

  test('names tests that exist', () => {
    const named = [...read(path).matchAll(/`(test\/[\w./-]+\.test\.ts)`/g)].map(([, test = '']) => test);
    expect(named.filter((test) => !existsSync(join(root, test)))).toEqual([]);
  });

  test('names npm scripts that exist', () => {
    const named = [...read(path).matchAll(/npm run ([a-z][\w:-]*)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

/** As GitHub makes them: lower case, spaces to hyphens, and no other signs. */
const anchorsOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test.each(documents)('%s links to headings that exist', (path) => {
  const links = [...read(path).matchAll(/\]\(([^)#\s]*\.md)?#([^)\s]+)\)/g)];
  const missing = links.filter(([, file, anchor = '']) => {
    const target = file === undefined ? path : join(dirname(path), file);
    return !anchorsOf(read(target)).includes(anchor);
  });
  expect(missing.map(([link]) => link)).toEqual([]);
});

describe('the runbook', () => {
  const rows = [...read('docs/operations.md').matchAll(/^\| `([^`]+)`.*\|$/gm)].map(([row, name = '']) => ({
    name,
    cells: row.split(/(?<!\\)\|/).slice(1, -1),
  }));
  const metrics = [...read('infra/process/metrics.ts').matchAll(/'(navbat_[a-z_]+[a-z])'/g)].map(
    ([, name = '']) => name,
  );

  test.each([...alarmKinds, ...metrics])('says what to check and to do about %s', (signal) => {
    const row = rows.find(({ name }) => name === signal || name.startsWith(`${signal}{`));
    expect(row?.cells.map((cell) => cell.trim() !== '')).toEqual([true, true, true, true]);
  });
});

/** Git keeps no empty folders, and a checkout may still hold some. */
const isInhabited = (path: string): boolean => statSync(path).isDirectory() && readdirSync(path).length > 0;

describe('the map', () => {
  const map = read('docs/map.md');
  const [, tree = ''] = /^## The tree\n([\s\S]*?)^## /m.exec(map) ?? [];
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
    const listed = [...map.matchAll(/^\| \[\d{4}\]\(adr\/([^)]+\.md)\)/gm)].map(([, name]) => name);
    expect(listed).toEqual(adrs.toSorted());
  });
});

describe('the requirements', () => {
  const rows = [...read('docs/requirements.md').matchAll(/^\| ((?:S\d\.|X)\d+) +\|.*\| ([^|]+) \|$/gm)].map(
    ([, number = '', state = '']) => ({ number, state: state.trim() }),
  );
  /** How many requests each founding document has, and how often they disagree or say nothing. */
  const counts = { 'S0.': 56, 'S1.': 82, 'S2.': 147, 'S3.': 27, 'S4.': 44, X: 20 };
  const numbers = Object.entries(counts).flatMap(([document, count]) =>
    Array.from({ length: count }, (_, index) => `${document}${index + 1}`),
  );

  test('are all there, each once, in order', () => {
    expect(rows.map(({ number }) => number)).toEqual(numbers);
  });

  test('each have one state, and the state says where to look', () => {
    const states = [
      /^_works_: `test\//,
      /^_overruled_: (?:\[|X\d)/,
      /^_open_: (?:message|pay|earn|learn|web|deploy)\b/,
      /^_fact_: /,
    ];
    expect(rows.filter(({ state }) => !states.some((pattern) => pattern.test(state)))).toEqual([]);
  });

  test('name tests that exist, and decisions that are among them', () => {
    const named = rows.flatMap(({ number, state }) =>
      [...state.matchAll(/`([^`]*test\/[^`]*)`|\b(X\d+)\b/g)].map(([, path, decision]) => ({
        number,
        path,
        decision,
      })),
    );
    expect(named.length).toBeGreaterThan(100);
    expect(
      named.filter(({ path, decision }) =>
        path === undefined
          ? !numbers.includes(decision ?? '')
          : !path.endsWith('.test.ts') || !existsSync(join(root, path)),
      ),
    ).toEqual([]);
  });
});

test('.nvmrc names the Node that npm brings and the tests run on', () => {
  expect(read('.nvmrc').trim()).toBe(devDependencies['node']);
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

test('README’s first code, eleven lines, is compiled, word for word', () => {
  const squeezed = (code: string) => code.replaceAll(/,(?=\s*[})])/g, '').replaceAll(/\s+/g, '');
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(read('README.md')) ?? [];
  expect(code.trim().split('\n')).toHaveLength(11);
  expect(squeezed(read('test/rules/readme/main.ts'))).toContain(squeezed(code));
});

describe('what paying must hold', () => {
  const rows = [...read('docs/requirements.md').matchAll(/^\| ([PF]\d+) +\|[^|]+\| ([^|]+?) +\|$/gm)].map(
    ([, number = '', shown = '']) => ({
      number,
      shown: shown.split('; `').map((one) => one.replace(/^`/, '')),
    }),
  );
  const from = (letter: string, first: number, last: number, but: readonly number[]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index)
      .filter((number) => !but.includes(number))
      .map((number) => `${letter}${number}`);

  test('is all there, each once, in order', () => {
    expect(rows.map(({ number }) => number)).toEqual([
      ...from('P', 15, 42, [36, 37]),
      ...from('F', 1, 22, [13, 14, 19, 22]),
    ]);
  });

  test.each(rows)('$number is shown by tests of these names', ({ shown }) => {
    for (const one of shown) {
      const [, path = '', name = ''] = /^(test\/[\w./-]+\.test\.ts)`: (.+)$/s.exec(one) ?? [];
      expect(name, one).not.toBe('');
      expect(read(path), `a test of ${path}`).toContain(name);
    }
  });
});
