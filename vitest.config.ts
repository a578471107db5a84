import { defineConfig } from 'vitest/config';

/** Deadlines, not stopwatches: on a machine with six times more work than cores, a test that is right still ends within them. */
const TEST_MS_MAX = 180_000;
const POLL_MS_MAX = 60_000;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // `npm run test:chaos` (kills, freezes and paces, over real time) and `npm run bench` are commands of their own.
    exclude: ['**/node_modules/**', 'test/bench/**', 'test/chaos/**', 'test/browser/**'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: TEST_MS_MAX,
    hookTimeout: TEST_MS_MAX,
    expect: { poll: { timeout: POLL_MS_MAX } },
    // Each file is a process of its own: a test may send signals, change its environment or run out of memory alone.
    pool: 'forks',
    maxWorkers: 2,
  },
});
