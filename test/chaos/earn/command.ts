import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { runDay } from './day/run.ts';

const whole = (text: string) => {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('expected a whole number from 1');
  return number;
};

interface Options {
  readonly seeds: number;
  readonly from: number;
  readonly phones: number;
  readonly steps: number;
  readonly reports: number;
  readonly keep?: true;
}

/** `npm run chaos -- earn`: prints a line of JSON a seed, and ends with 1 where the ledger is not what the logs say. */
export const earnChaos = (): Command =>
  new Command('earn')
    .description('a day of phones and gateways that lie, with deaths, held against an independent program')
    .option('--seeds <count>', 'runs, each with its own seed', whole, 1)
    .option('--from <seed>', 'the first seed', whole, 1)
    .option('--phones <count>', 'of each', whole, 200)
    .option('--steps <count>', 'times that a phone sends in its 23 hours', whole, 92)
    .option('--reports <count>', 'of each phone and step: 15 is one a minute', whole, 15)
    .option('--keep', 'leave the files of a run where they are')
    .action(async ({ seeds, from, keep, ...size }: Options) => {
      for (let seed = from; seed < from + seeds; seed += 1) {
        const directory = await mkdtemp(join(tmpdir(), 'navbat-earn-'));
        await chmod(directory, 0o711);
        const tell = (line: string) => void process.stderr.write(`${line}\n`);
        const report = await runDay({ seed, ...size, directory, tell });
        process.stdout.write(`${JSON.stringify({ chaos: 'earn', ...report })}\n`);
        const isWell = report.problems.length === 0;
        if (!isWell) process.exitCode = 1;
        if (isWell && keep === undefined) await rm(directory, { recursive: true, force: true });
      }
    });
