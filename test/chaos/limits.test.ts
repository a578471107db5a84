import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type LimitFault, runLimits } from './limits.ts';

/** The short form of `npm run chaos -- limits`. */
const FAULT_MS = 300;
const TEST_MS_MAX = 120_000;
const FLOOD = 400;
/** Fewer than what is left: then the limit must be met to the very request. */
const CALM = 20;

async function limits(fault: LimitFault, processes: number, asks: number) {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-limits-'));
  await chmod(directory, 0o711);
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return runLimits({ fault, processes, asks, faultMs: FAULT_MS, directory });
}

const runs: readonly (readonly [LimitFault, number, number])[] = [
  ['redis is 60 ms late and a process stands still', 1, FLOOD],
  ['redis stands still', 1, FLOOD],
  ['redis is shut down and wiped', 3, CALM],
  ['a process is stopped', 3, FLOOD],
  ['redis is wiped while a process is stopped', 3, FLOOD],
  ['a process is killed and started while redis is shut down', 3, FLOOD],
];

for (const [fault, processes, asks] of runs)
  test(
    `fault: ${fault}; processes: ${processes}; requests each: ${asks}. A limit is exceeded by what all but one of them last knew to be left at most, and what protects codes not at all`,
    async () => {
      const report = await limits(fault, processes, asks);
      expect(report.problems, JSON.stringify(report)).toEqual([]);
    },
    TEST_MS_MAX,
  );
