import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runTelegram } from './telegram.ts';

/** Ten times faster than Telegram; at its real pace by `npm run chaos -- telegram`, where the rate is judged too. */
const SPEED = 10;
const RUN_MS = 180_000;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'navbat-telegram-'));
  await chmod(directory, 0o711);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test(
  '10 000 recipients in one request: none lost, none doubled, no limit broken in any sliding second',
  async () => {
    const report = await runTelegram(
      { speed: SPEED, broadcasts: [10_000], busyShare: 0, directory },
      () => undefined,
    );
    expect(report).toMatchObject({ sent: 10_000, lost: 0, doubled: 0, breaches: 0, disobeyed: 0 });
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
    expect(report).toMatchObject({ sent: 3_010, lost: 0, doubled: 0, breaches: 0, disobeyed: 0 });
    const [first = 0, second = 0] = report.sharesWhileAll;
    expect(Math.abs(first - second) / Math.max(first, second)).toBeLessThan(0.1);
    // A third of the lane is its share: ten messages are through when some thirty have gone out, of three thousand.
    expect(report.projectEnds[2]).toBeLessThan(0.1);
  },
  RUN_MS,
);
