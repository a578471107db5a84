import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

/**
 * CI believes the last line and the exit status of `.ci/run`. The script is the real one; its `npm` is replaced, because the real one would
 * run these very tests again.
 */
const root = resolve(import.meta.dirname, '../..');
let checkout = '';

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'navbat-ci-'));
  cpSync(join(root, '.ci'), join(checkout, '.ci'), { recursive: true });
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

interface Told {
  /** The arguments of the npm call that fails. */
  readonly failing?: string;
  /** What vitest reports; nothing is written where it is left out. */
  readonly report?: Report;
  /** The same of the tests with processes. */
  readonly system?: Report;
  /** The same of the tests that take real time. */
  readonly chaos?: Report;
  /** The same of the mistakes that a test has to see; nothing is written for null. */
  readonly mutations?: Report | null;
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
}

const SYSTEM = { numPassedTests: 3, numFailedTests: 0 };
const BROWSER = { numPassedTests: 1, numFailedTests: 0 };
const CHAOS = { numPassedTests: 2, numFailedTests: 0 };
const MUTATIONS = { numPassedTests: 4, numFailedTests: 0 };

function runCi({ failing = 'none', report, system = SYSTEM, chaos = CHAOS, mutations = MUTATIONS }: Told): {
  lastLine: string | undefined;
  status: number | null;
} {
  const npm = join(checkout, 'npm');
  const written = (file: string, what: Report | null | undefined) =>
    what ? `mkdir -p reports; printf '%s' '${JSON.stringify(what)}' > reports/${file}.json` : ':';
  const cases = `case "$*" in *'silent test:system'*) ${written('test-system', system)};; *'silent test:browser'*) ${written('test-browser', BROWSER)};; *'silent test:chaos'*) ${written('test-chaos', chaos)};; *'silent mutations'*) ${written('mutations', mutations)};; *'silent test '*) ${written('test', report)};; esac`;
  writeFileSync(npm, `#!/bin/sh\n${cases}\ncase "$*" in *'${failing}'*) exit 1;; esac\n`);
  chmodSync(npm, 0o755);
  const { stdout, status } = spawnSync(join(checkout, '.ci/run'), {
    encoding: 'utf8',
    env: { PATH: [checkout, process.env['PATH']].join(delimiter), CI: '' },
  });
  return { lastLine: stdout.trimEnd().split('\n').at(-1), status };
}

const green = { numPassedTests: 7, numFailedTests: 0 };

test('passes when every check and every test does, and counts both', () => {
  expect(runCi({ report: green })).toEqual({ lastLine: '22 passed, 0 failed', status: 0 });
});

test.each(['format:check', 'lint', 'typecheck', 'knip'])(
  'fails when %s does, and still runs the tests',
  (failing) => {
    expect(runCi({ failing, report: green })).toEqual({ lastLine: '21 passed, 1 failed', status: 1 });
  },
);

test('fails when nothing can be installed', () => {
  expect(runCi({ failing: 'ci --no-audit', report: green })).toEqual({
    lastLine: '0 passed, 1 failed',
    status: 1,
  });
});

test('fails by the number of failed tests', () => {
  const report = { numPassedTests: 5, numFailedTests: 2 };
  expect(runCi({ failing: 'silent test ', report })).toEqual({ lastLine: '20 passed, 2 failed', status: 1 });
});

test('fails by a failed test of those with processes', () => {
  expect(runCi({ report: green, system: { numPassedTests: 2, numFailedTests: 1 } })).toEqual({
    lastLine: '21 passed, 1 failed',
    status: 1,
  });
});

test('fails by a failed test of those that take real time', () => {
  expect(runCi({ report: green, chaos: { numPassedTests: 1, numFailedTests: 1 } })).toEqual({
    lastLine: '21 passed, 1 failed',
    status: 1,
  });
});

test('fails by a mistake that no test sees', () => {
  expect(
    runCi({
      failing: 'silent mutations',
      report: green,
      mutations: { numPassedTests: 3, numFailedTests: 1 },
    }),
  ).toEqual({ lastLine: '21 passed, 1 failed', status: 1 });
});

test('fails when the mutations end before they are counted', () => {
  expect(runCi({ failing: 'silent mutations', report: green, mutations: null })).toEqual({
    lastLine: '18 passed, 1 failed',
    status: 1,
  });
});

test('fails when a test file could not be loaded, although no test in it failed', () => {
  expect(runCi({ failing: 'silent test ', report: green })).toEqual({
    lastLine: '22 passed, 1 failed',
    status: 1,
  });
});

test.each([
  { what: 'no test ran', report: { numPassedTests: 0, numFailedTests: 0 } },
  { what: 'there is no report', report: undefined },
])('fails when $what', ({ report }) => {
  expect(runCi(report ? { report } : {})).toEqual({ lastLine: '15 passed, 1 failed', status: 1 });
});
