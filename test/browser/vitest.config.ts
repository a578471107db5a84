import { defineConfig } from 'vitest/config';

/** Pages in a real browser: needs Debian's `chromium`, or another one that `CHROMIUM` names. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: 1,
  },
});
