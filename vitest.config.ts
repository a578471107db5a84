import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Deadlines, not stopwatches: on a machine with six times more work than cores, a test that is right still ends within them. */
const TEST_MS_MAX = 180_000;
const POLL_MS_MAX = 60_000;

/** Compiled code, kept from one process to the next: half of the second that each of some hundred Node processes takes to start. */
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(
  new URL('node_modules/.cache/navbat-compiled', import.meta.url),
);

/** `npm run test:system`: tests that start processes of Navbat or servers of their own, and simulations, which take minutes of a processor. */
const system = ['test/journeys/**/*.test.ts', 'test/**/*.system.test.ts', 'test/**/*.simulation.test.ts'];
/** In both: a short form in `npm test`, a long one in `npm run test:system`. */
const properties = 'test/**/*-property.test.ts';
/** They change their process: its environment, its exit, its memory, its counters, its timers. */
const alone = [
  'test/apps/sandbox/timers.test.ts',
  'test/infra/embedded/**/*.test.ts',
  'test/infra/pay/spreadsheet.test.ts',
  'test/infra/process/clock.test.ts',
  'test/infra/process/metrics.test.ts',
];
// `npm run test:chaos` (kills, freezes and paces, over real time), `npm run test:browser` and `npm run bench` are commands of their own.
const elsewhere = ['**/node_modules/**', 'test/bench/**', 'test/chaos/**', 'test/browser/**'];

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: TEST_MS_MAX,
    hookTimeout: TEST_MS_MAX,
    expect: { poll: { timeout: POLL_MS_MAX } },
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        // One process runs many of these files, one after the other, and imports what they share once.
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...elsewhere, ...system, ...alone],
          isolate: false,
        },
      },
      // Each file is a process of its own.
      { extends: true, test: { name: 'alone', include: alone, exclude: system } },
      {
        extends: true,
        test: {
          name: 'system',
          include: [...system, properties],
          exclude: elsewhere,
          env: { NAVBAT_PROPERTIES: 'long' },
        },
      },
    ],
  },
});
