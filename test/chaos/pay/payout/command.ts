import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { runProcesses } from './processes/run.ts';
import { runVirtual } from './virtual/run.ts';

const whole = (text: string) => {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('expected a whole number from 1');
  return number;
};

interface Options {
  readonly virtual?: true;
  readonly seeds: number;
  readonly items: number;
  readonly exposure: number;
  readonly from: number;
  readonly keep?: true;
}

/** `npm run chaos -- payout`: prints a line of JSON, and ends with 1 where the auditor found anything. */
export const payoutChaos = (): Command =>
  new Command('payout')
    .description('payments with faults of the rail and deaths of workers, held against the log of the rail')
    .option('--virtual', 'without processes, on a clock that is moved: all seeds in one database')
    .option('--seeds <count>', 'runs, each with its own seed', whole, 20)
    .option('--items <count>', 'payments of each', whole, 200)
    .option('--exposure <count>', 'virtual: payments between a claim and a known end, at most', whole, 64)
    .option('--from <seed>', 'the first seed', whole, 1)
    .option('--keep', 'leave the files of a run where they are')
    .action(async (options: Options) => {
      const runs = options.virtual ? [options.from] : seedsOf(options);
      for (const seed of runs) await inDirectory(options, seed);
    });

const seedsOf = ({ from, seeds }: Options): readonly number[] =>
  Array.from({ length: seeds }, (_, index) => from + index);

async function inDirectory(options: Options, seed: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-payout-'));
  await chmod(directory, 0o711);
  const tell = (line: string) => void process.stderr.write(`${line}\n`);
  const report = options.virtual
    ? await runVirtual({ ...options, directory, tell })
    : await runProcesses({ seed, items: options.items, directory, tell });
  const chaos = options.virtual ? 'payout virtual' : 'payout';
  process.stdout.write(`${JSON.stringify({ chaos, ...report })}\n`);
  const isWell = report.problems.length === 0;
  if (!isWell) process.exitCode = 1;
  if (isWell && !options.keep) await rm(directory, { recursive: true, force: true });
}
