import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCore } from './core.ts';

/** The short form of `npm run chaos -- core`: one seed, the four faults of servers that differ most, Redis away for 3 s. */
const SEED = 20_261_120;
const TEST_MS_MAX = 180_000;

test(
  'whatever is killed, frozen, wiped or restarted: no 202 is lost or doubled, attempts count 1, 2, 3, only kills repeat a message, and a pause holds',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'navbat-chaos-'));
    await chmod(directory, 0o711);
    const cut = new AbortController();
    onTestFinished(async () => {
      cut.abort();
      await rm(directory, { recursive: true, force: true });
    });
    const report = await runCore(
      {
        seed: SEED,
        directory,
        seconds: 1,
        faults: [
          'postgres ended at once',
          'redis stopped',
          'redis restored from an older file',
          'redis wiped while paused',
        ],
        redisAwayMs: 3_000,
        waiting: 1_000,
        tell: () => undefined,
      },
      cut.signal,
    );
    console.log(JSON.stringify(report));
    expect(report.problems).toEqual([]);
    expect(report.settledWithinMs).toBeLessThan(report.settledWithinMsMax);
    // The run was one: it had load, and faults that struck it.
    expect(report.answered202).toBeGreaterThan(1_000);
    for (const kind of ['telegram-message', 'push', 'webhook'])
      expect(report.jobs[kind], kind).toBeGreaterThan(100);
    expect(report.strikes).toMatchObject({
      'kill-worker': expect.any(Number),
      'kill-api': expect.any(Number),
      'freeze-worker': expect.any(Number),
      'redis-stopped': 1,
      'redis-wiped': 1,
      'redis-restored': 2,
      'postgres-immediate': 1,
    });
  },
  TEST_MS_MAX,
);
