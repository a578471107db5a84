import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runTelegram } from './telegram.ts';

/** Ten times faster than Telegram; at its real pace by `npm run chaos -- telegram`, where the rate is checked too. */
const SPEED = 10;
const RUN_MS = 240_000;
/**
 * Where every process of a busy machine stands still for a moment, what was sent apart arrives together: that may happen to one
 * message of a hundred. Without a pace it happens to nearly all.
 */
const STALLED_SHARE = 0.01;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'navbat-telegram-'));
  await chmod(directory, 0o711);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test(
  '10 000 recipients in one request: none lost, none doubled, and the pace is kept',
  async () => {
    const report = await runTelegram(
      { speed: SPEED, broadcasts: [10_000], busyShare: 0, directory },
      () => undefined,
    );
    expect(report).toMatchObject({ sent: 10_000, lost: 0, doubled: 0, disobeyed: 0 });
    expect(report.breaches).toBeLessThanOrEqual(10_000 * STALLED_SHARE);
  },
  RUN_MS,
);

test(
  'two projects share evenly, a third with ten messages waits no longer than its share, and each random 429 is obeyed',
  async () => {
    const report = await runTelegram(
      { speed: SPEED, broadcasts: [1_500, 1_500, 10], busyShare: 0.002, directory },
      () => undefined,
    );
    expect(report).toMatchObject({ sent: 3_010, lost: 0, doubled: 0, disobeyed: 0 });
    expect(report.breaches).toBeLessThanOrEqual(3_010 * STALLED_SHARE);
    const [first = 0, second = 0] = report.sharesWhileAll;
    expect(Math.abs(first - second) / Math.max(first, second)).toBeLessThan(0.1);
    // A third of the queue is its share: ten messages are through when some thirty have gone out, of three thousand.
    expect(report.projectEnds[2]).toBeLessThan(0.1);
  },
  RUN_MS,
);
