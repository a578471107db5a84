import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runDay } from './day/run.ts';

/** The short form of `npm run chaos -- earn`. */
test('200 phones over a midnight and a change of the price: the ledger is what an independent program reckons, whatever lies and dies', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-earn-'));
  await chmod(directory, 0o711);
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const report = await runDay({
    seed: 20_261_130,
    phones: 200,
    steps: 46,
    reports: 1,
    directory,
    tell: () => undefined,
  });
  console.log(JSON.stringify(report));
  expect(report.problems).toEqual([]);
  expect(report.transfers).toBeGreaterThan(200);
  expect(report.strikes).toHaveLength(9);
});
