import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Their short forms are tests; the long ones are programs of their own (`npm run chaos`, `npm run bench`).
    exclude: ['**/node_modules/**', 'test/bench/**'],
    globalSetup: ['test/support/global-setup.ts'],
    // Real servers on two cores: a slow machine must not turn a guarantee red.
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Each file is a process of its own: a test may send signals, change its environment or run out of memory alone.
    pool: 'forks',
    maxWorkers: 2,
  },
});
