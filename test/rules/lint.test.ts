import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { exceptions } from './lint/edges.ts';
import { contextOf } from './lint/edges-rule.ts';

/**
 * The layers hold only while the rules fire. Each rule is tried here on a planted violation, in a copy of the configuration outside
 * the tree: another linter's import rules were found to report "no violations" because they had read no module at all.
 */
const root = resolve(import.meta.dirname, '../..');
const configuration = ['.oxlintrc.json', 'tsconfig.json', 'test/rules/lint'];
const layers = ['apps', 'workers', 'domain', 'infra', 'test'];

interface Plant {
  readonly says: string;
  readonly path: string;
  readonly code: string;
  readonly rule: string;
}

const imports = (path: string, imported: string, rule: string): Plant => ({
  says: `${path} imports ${imported}`,
  path,
  code: `import { target } from '${imported}';\nexport const used: unknown = target;\n`,
  rule,
});
const edge = (path: string, imported: string): Plant => imports(path, imported, 'allowed-edges');
const packages = (path: string, imported: string): Plant => imports(path, imported, 'no-restricted-imports');

const otherWays = (code: string, way: string): Plant => ({
  says: `${way} leads out of its layer`,
  path: `domain/verify/${way.replaceAll(/\W+/g, '-')}.ts`,
  code,
  rule: 'allowed-edges',
});

const impure = (what: string, expression: string, rule: string): Plant => ({
  says: `domain/ reads ${what}`,
  path: `domain/impure/${what.replaceAll(/\W+/g, '-')}.ts`,
  code: `export const read: unknown = ${expression};\n`,
  rule,
});

const plants: readonly Plant[] = [
  edge('domain/verify/to-infra.ts', '../../infra/postgres/target.ts'),
  edge('domain/verify/to-apps.ts', '../../apps/http/target.ts'),
  edge('domain/verify/to-workers.ts', '../../workers/target.ts'),
  edge('domain/verify/to-test.ts', '../../test/support/target.ts'),
  packages('domain/verify/to-node.ts', 'node:crypto'),
  packages('domain/verify/to-package.ts', 'bullmq'),
  packages('domain/verify/to-scoped-package.ts', '@mikro-orm/core'),
  edge('apps/api/to-infra.ts', '../../infra/postgres/target.ts'),
  edge('apps/api/to-workers.ts', '../../workers/target.ts'),
  edge('apps/api/to-test.ts', '../../test/support/target.ts'),
  edge('apps/api/to-another-app.ts', '../board/target.ts'),
  edge('apps/board/ops/to-another-app.ts', '../../api/target.ts'),
  packages('apps/api/to-driver.ts', 'pg'),
  edge('apps/api/main.ts', '../../test/support/target.ts'),
  edge('apps/api/message/wire.ts', '../../../test/support/target.ts'),
  edge('apps/api/modules.ts', '../../test/support/target.ts'),
  edge('workers/verify/wire.ts', '../../test/support/target.ts'),
  // Of those names, and in those layers, alone.
  edge('apps/api/verify/rewire.ts', '../../../infra/postgres/target.ts'),
  edge('apps/api/verify/sends.routes.ts', '../../../infra/postgres/target.ts'),
  packages('apps/api/verify/wires.ts', 'pg'),
  edge('workers/verify/sends.ts', '../../infra/postgres/target.ts'),
  edge('infra/verify/wire.ts', '../../apps/http/target.ts'),
  edge('domain/verify/wire.ts', '../../infra/postgres/target.ts'),
  edge('domain/verify/modules.ts', '../../infra/postgres/target.ts'),
  edge('apps/http/to-an-app.ts', '../api/target.ts'),
  edge('apps/local/to-test.ts', '../../test/support/target.ts'),
  edge('workers/to-infra.ts', '../infra/postgres/target.ts'),
  edge('workers/to-apps.ts', '../apps/http/target.ts'),
  edge('workers/to-test.ts', '../test/support/target.ts'),
  packages('workers/to-queue.ts', 'bullmq'),
  edge('infra/postgres/to-apps.ts', '../../apps/http/target.ts'),
  edge('infra/postgres/to-workers.ts', '../../workers/target.ts'),
  edge('infra/postgres/to-test.ts', '../../test/support/target.ts'),
  edge('apps/sandbox/to-another-app.ts', '../board/target.ts'),
  otherWays(
    "export const late = (): Promise<unknown> => import('../../infra/postgres/target.ts');\n",
    'import()',
  ),
  otherWays(
    'export const late = (): Promise<unknown> => import(`../../infra/postgres/target.ts`);\n',
    'import() of a template',
  ),
  otherWays(
    "export const late = (name: string): Promise<unknown> => import('../../infra/' + name);\n",
    'import() of a sum',
  ),
  otherWays("export type { target } from '../../infra/postgres/target.ts';\n", 'export type'),
  otherWays("export * from '../../infra/postgres/target.ts';\n", 'export all'),
  otherWays("export type Late = typeof import('../../infra/postgres/target.ts');\n", 'a type import'),
  edge('domain/shared/to-context.ts', '../job/target.ts'),
  edge('domain/job/to-project.ts', '../project/target.ts'),
  edge('domain/project/to-platform.ts', '../identity/target.ts'),
  edge('domain/identity/to-product.ts', '../verify/target.ts'),
  edge('domain/identity/device/to-port-of-product.ts', '../../verify/port.ts'),
  edge('domain/webhook/to-platform.ts', '../identity/port.ts'),
  edge('domain/staff/to-more-than-the-port.ts', '../webhook/target.ts'),
  edge('domain/verify/to-more-than-the-port.ts', '../identity/target.ts'),
  edge('domain/verify/to-product.ts', '../message/port.ts'),
  edge('domain/message/to-product.ts', '../verify/target.ts'),
  edge('domain/pay/to-product-that-it-does-not-need.ts', '../verify/port.ts'),
  edge('domain/pay/ledger/to-more-than-the-port.ts', '../../message/target.ts'),
  edge('domain/message/to-pay.ts', '../pay/port.ts'),
  edge('infra/postgres/identity/to-pay.ts', '../pay/target.ts'),
  edge('domain/verify/to-registry.ts', '../target.ts'),
  edge('domain/planted.ts', './verify/target.ts'),
  edge('domain/learn/not-in-the-table.ts', '../verify/target.ts'),
  edge('domain/verify/to-what-is-not-in-the-table.ts', '../learn/target.ts'),
  edge('infra/verify/to-what-is-not-in-the-table.ts', '../learn/target.ts'),
  edge('infra/learn/not-in-the-table.ts', '../process/target.ts'),
  edge('infra/process/to-product.ts', '../../domain/verify/target.ts'),
  edge('infra/postgres/webhook/to-product.ts', '../verify/target.ts'),
  edge('infra/postgres/message/to-product.ts', '../../../domain/verify/target.ts'),
  edge('apps/api/webhook/to-product.ts', '../verify/target.ts'),
  edge('apps/board/ops/to-more-than-the-port.ts', '../../../domain/webhook/target.ts'),
  edge('workers/engine/to-product.ts', '../message/target.ts'),
  edge('workers/message/to-product.ts', '../verify/target.ts'),
  impure('Date.now', 'Date.now()', 'no-restricted-properties'),
  impure('Math.random', 'Math.random()', 'no-restricted-properties'),
  impure('performance.now', 'performance.now()', 'no-restricted-properties'),
  ...['apps/api/webhook/late.routes.ts', 'apps/http/late.ts', 'workers/webhook/late.ts'].flatMap((path) =>
    [['Date.now()', 'no-restricted-properties'] as const, ['new Date()', 'no-clock-read'] as const].map(
      ([code, rule]) => ({
        says: `${path} reads ${code}, not the clock that a sandbox may move`,
        path: path.replace('late', rule),
        code: `export const read: unknown = ${code};\n`,
        rule,
      }),
    ),
  ),
  impure('new Date without an argument', 'new Date()', 'no-clock-read'),
  impure('Date without an argument', 'Date()', 'no-clock-read'),
  impure('process', 'process.env', 'no-restricted-globals'),
  impure('crypto', 'crypto.randomUUID()', 'no-restricted-globals'),
  impure('fetch', "fetch('http://localhost')", 'no-restricted-globals'),
  impure('setTimeout', 'setTimeout(() => 1, 1)', 'no-restricted-globals'),
  impure('setInterval', 'setInterval(() => 1, 1)', 'no-restricted-globals'),
  impure('setImmediate', 'setImmediate(() => 1)', 'no-restricted-globals'),
  impure('queueMicrotask', 'queueMicrotask(() => 1)', 'no-restricted-globals'),
  impure('globalThis', 'globalThis.process', 'no-restricted-globals'),
  {
    says: 'two files import each other',
    path: 'domain/verify/cycle/there.ts',
    code: "import { back } from '../cycle-back/back.ts';\nexport const there = (): unknown => back;\n",
    rule: 'no-cycle',
  },
  {
    says: 'a switch forgets a case',
    path: 'domain/verify/forgets.ts',
    code: "export const size = (x: 'a' | 'b'): number => {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 0;\n};\n",
    rule: 'switch-exhaustiveness-check',
  },
  {
    says: 'a type is any',
    path: 'domain/verify/anything.ts',
    code: 'export const anything = (x: any): unknown => x;\n',
    rule: 'no-explicit-any',
  },
  {
    says: 'a promise is left floating',
    path: 'workers/floats.ts',
    code: 'const work = async (): Promise<number> => 1;\nexport const floats = (): void => {\n  work();\n};\n',
    rule: 'no-floating-promises',
  },
  {
    says: 'a function has 41 lines',
    path: 'workers/long.ts',
    code: `export const long = (): number => {\n${'  void 0;\n'.repeat(38)}  return 1;\n};\n`,
    rule: 'max-lines-per-function',
  },
];

/** What the rules must let through: one file a permission. */
const clean: Readonly<Record<string, string>> = {
  'domain/verify/cycle-back/back.ts':
    "import { there } from '../cycle/there.ts';\nexport const back = (): unknown => there;\n",
  'domain/verify/pure.ts': [
    "import { generateSync } from 'otplib/functional';",
    "import { parsePhoneNumberFromString } from 'libphonenumber-js/max';",
    "import { z } from 'zod';",
    "import { kind } from '../job/kind.ts';",
    'export const pure = [z.string(), generateSync, parsePhoneNumberFromString, kind];',
    'export const later = (now: Date): Date => new Date(now.getTime() + 1);',
    '',
  ].join('\n'),
  'domain/job/kind.ts': "export const kind = 'otp-send';\n",
  'domain/verify/to-port.ts':
    "import { target } from '../identity/port.ts';\nexport const used: unknown = target;\n",
  'domain/staff/to-port.ts':
    "import { target } from '../webhook/port.ts';\nexport const used: unknown = target;\n",
  'domain/identity/to-base.ts':
    "import { target } from '../shared/target.ts';\nimport { target as job } from '../job/target.ts';\nimport { target as project } from '../project/target.ts';\nexport const used = [target, job, project];\n",
  'domain/lists.ts':
    "import { target } from './verify/reasons.ts';\nimport { target as base } from './shared/target.ts';\nexport const used = [target, base];\n",
  'infra/postgres/verify/to-common.ts':
    "import { target } from '../../process/target.ts';\nimport { target as list } from '../../../domain/target.ts';\nexport const used = [target, list];\n",
  'apps/api/verify/wire.ts':
    "import { target } from '../../../infra/postgres/target.ts';\nimport { target as other } from '../../../domain/message/target.ts';\nexport const used = [target, other];\n",
  'apps/board/modules.ts':
    "import { target } from '../../infra/postgres/target.ts';\nimport { Pool } from 'pg';\nexport const used: unknown = [target, Pool];\n",
  'workers/webhook/wire.ts':
    "import { target } from '../../infra/postgres/target.ts';\nimport { target as other } from '../verify/target.ts';\nexport const used = [target, other];\n",
  'workers/modules.ts':
    "import { target } from '../infra/postgres/verify/target.ts';\nimport { target as other } from './message/target.ts';\nexport const used = [target, other];\n",
  'apps/http/route.ts':
    "import { kind } from '../../domain/job/kind.ts';\nimport { target } from '../http/target.ts';\nexport const route = [kind, target];\n",
  'apps/board/adapter.ts':
    "import { BaseAdapter } from '@bull-board/api/baseAdapter';\nexport const adapter: unknown = BaseAdapter;\n",
  'apps/board/main.ts':
    "import { target } from '../../infra/postgres/target.ts';\nexport const wired: unknown = target;\n",
  'apps/local/supervisor.ts':
    "import { target } from '../../infra/postgres/target.ts';\nexport const wired: unknown = target;\n",
  'apps/cli/project.ts':
    "import { target } from '../../infra/postgres/target.ts';\nexport const wired: unknown = target;\n",
  'workers/main.ts':
    "import { target } from '../infra/postgres/target.ts';\nexport const wired: unknown = target;\n",
  'infra/queue/adapter.ts':
    "import { kind } from '../../domain/job/kind.ts';\nimport { target } from '../postgres/target.ts';\nexport const adapter: unknown = [kind, target, Date.now(), new Date()];\n",
  'test/journeys/free.test.ts':
    "import { target } from '../../infra/postgres/target.ts';\nimport { kind } from '../../domain/job/kind.ts';\nexport const free: unknown = [target, kind, Date.now()];\n",
  'workers/forty.ts': `export const forty = (): number => {\n${'  void 0;\n'.repeat(37)}  return 1;\n};\n`,
};

const targets = [
  'infra/postgres',
  'infra/postgres/verify',
  'infra/process',
  'infra/pay',
  'apps/http',
  'apps/api',
  'apps/api/verify',
  'apps/board',
  'workers',
  'workers/message',
  'workers/verify',
  'test/support',
  'domain',
  'domain/pay',
  'domain/shared',
  'domain/job',
  'domain/project',
  'domain/identity',
  'domain/webhook',
  'domain/verify',
  'domain/message',
];
const files = [
  ...targets.map((folder) => `${folder}/target.ts`),
  'domain/identity/port.ts',
  'domain/webhook/port.ts',
  'domain/verify/port.ts',
  'domain/message/port.ts',
  'domain/verify/reasons.ts',
];

const Report = z.object({
  diagnostics: z.array(z.object({ code: z.string(), filename: z.string() })),
  number_of_files: z.number(),
});
type Finding = z.infer<typeof Report>['diagnostics'][number];

let copy = '';
let findings: readonly Finding[] = [];

const write = async (path: string, code: string): Promise<void> => {
  await mkdir(dirname(join(copy, path)), { recursive: true });
  await writeFile(join(copy, path), code);
};

async function lint(): Promise<readonly Finding[]> {
  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
  // It exits with 1 as soon as it finds something, which here is the aim: what counts is what it printed.
  const run = promisify(execFile)(process.execPath, [oxlint, '--format=json', ...layers], { cwd: copy });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  return Report.parse(JSON.parse(stdout)).diagnostics;
}

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'navbat-lint-'));
  for (const path of configuration) await cp(join(root, path), join(copy, path), { recursive: true });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const path of files) await write(path, 'export const target = 1;\n');
  for (const [path, code] of Object.entries(clean)) await write(path, code);
  for (const { path, code } of plants) await write(path, code);
  findings = await lint();
}, 60_000);

afterAll(() => rm(copy, { recursive: true, force: true }));

const rulesAt = (path: string): readonly string[] =>
  findings.filter(({ filename }) => filename === path).map(({ code }) => code);

describe('a planted violation is reported', () => {
  test.each(plants)('$says', ({ path, rule }) => {
    expect(rulesAt(path)).toContainEqual(expect.stringContaining(`(${rule})`));
  });
});

describe('what the layers allow passes', () => {
  const allowed = [...Object.keys(clean), ...files];
  test.each(allowed.filter((path) => !path.includes('cycle')))('%s', (path) => {
    expect(rulesAt(path)).toEqual([]);
  });
});

describe('an exception of the table', () => {
  test.each(exceptions)('is needed: $from imports $to', async ({ from, to }) => {
    const reached = (await sourcesIn(from)).flatMap(importsOf);
    expect(reached.map((path) => (/^domain\/[^/]+$/.test(path) ? 'registries' : contextOf(path)))).toContain(
      to,
    );
  });
});

async function sourcesIn(place: string): Promise<string[]> {
  if (place.endsWith('.ts')) return [place];
  const names = await readdir(join(root, place), { recursive: true });
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(place, name));
}

const importsOf = (path: string): string[] =>
  [...readFileSync(join(root, path), 'utf8').matchAll(/from '(\.[^']+)'/g)].map(([, specifier = '']) =>
    join(dirname(path), specifier),
  );
