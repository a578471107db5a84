import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runProcesses } from './payout/processes/run.ts';
import { runVirtual } from './payout/virtual/run.ts';

/** The short forms of `npm run chaos -- payout`. */
const SEED = 20_261_129;

async function ownDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-payout-'));
  await chmod(directory, 0o711);
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
const tell = () => undefined;
const well = { paidTwice: 0, lost: 0, problems: [] };

test('whatever the rail answers and whoever dies between two commits: each payment once, none lost, to the tiyin', async () => {
  const directory = await ownDirectory();
  const report = await runVirtual({ from: SEED, seeds: 40, items: 10, exposure: 64, directory, tell });
  console.log(JSON.stringify(report));
  expect(report).toMatchObject({ ...well, items: 400 });
  expect(report.exposedMax).toBeLessThanOrEqual(64);
  for (const tally of [report.faults, report.kills, report.freezes])
    expect(Object.keys(tally.toJSON()).length).toBeGreaterThan(3);
});

test('with real processes that are killed at the rail, frozen and restarted: each payment once, none lost; a second run sends nothing', async () => {
  const directory = await ownDirectory();
  const report = await runProcesses({ seed: SEED, items: 40, directory, tell });
  console.log(JSON.stringify(report));
  expect(report).toMatchObject({ ...well, items: 40 });
  const killed = Object.keys(report.strikes.toJSON()).filter((strike) => strike.startsWith('killed'));
  expect(killed.length).toBeGreaterThan(2);
});
