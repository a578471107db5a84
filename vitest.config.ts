import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Deadlines, not stopwatches: on a machine with six times more work than cores, a test that is right still ends within them. */
const TEST_MS_MAX = 180_000;
const POLL_MS_MAX = 60_000;

/** Compiled code, kept from one process to the next: half of the second that each of some hundred Node processes takes to start. */
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(
  new URL('node_modules/.cache/navbat-compiled', import.meta.url),
);

/** Tests that change nothing of their process: one process runs many of these files, and imports what they share once. */
const together = [
  'test/domain',
  'test/infra/postgres',
  'test/apps/http',
  'test/apps/api',
  'test/apps/board',
  'test/apps/cli',
  'test/workers',
];
// `npm run test:chaos` (kills, freezes and paces, over real time) and `npm run bench` are commands of their own.
const elsewhere = ['**/node_modules/**', 'test/bench/**', 'test/chaos/**', 'test/browser/**'];
const testsOf = (directory: string) => `${directory}/**/*.test.ts`;

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: TEST_MS_MAX,
    hookTimeout: TEST_MS_MAX,
    expect: { poll: { timeout: POLL_MS_MAX } },
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'together', include: together.map(testsOf), isolate: false } },
      {
        extends: true,
        // Each file is a process of its own: a test may send signals, change its environment or run out of memory alone.
        test: {
          name: 'alone',
          include: [testsOf('test')],
          exclude: [...elsewhere, ...together.map(testsOf)],
        },
      },
    ],
  },
});
