import { defineConfig } from 'vitest/config';

/** The longest takes two and a half minutes on two calm cores; CI's machine may be much slower. */
const TEST_MS_MAX = 900_000;

/** `npm run test:chaos`: what takes real time by its nature, one file after the other, so that they do not disturb each other's pace. */
export default defineConfig({
  test: {
    include: ['test/chaos/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: TEST_MS_MAX,
    hookTimeout: TEST_MS_MAX,
    pool: 'forks',
    maxWorkers: 1,
  },
});
