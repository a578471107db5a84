import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { limitFaults, type LimitRun, runLimits } from './limits.ts';
import { runPauses } from './pauses.ts';
import { earnChaos } from './earn/command.ts';
import { payoutChaos } from './pay/payout/command.ts';
import { runPriorities } from './priorities.ts';
import { runTelegram } from './telegram.ts';
import { runCore, serverFaults, type CoreReport } from './core.ts';
import { attackKeys, attackOrders, runStrangers } from './strangers.ts';

/**
 * `npm run chaos -- core --seeds N [--seconds S]`: kills, freezes, wipes and restarts under load, one installation a seed.
 * Prints a line of JSON a seed and ends with 1 when one of them lost, doubled or misnumbered anything.
 */
const whole = (text: string) => {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('expected a whole number from 1');
  return number;
};
const REDIS_AWAY_MS = 10_000;
const WAITING = 1_000;

/** Of what Telegram grants; chance 429s stop the bot for a second each, so that they have no such goal. */
const RATE_SHARE_GOAL = 0.95;
const CODE_MS_GOAL = 2_000;
/** An urgent message of a busy project, and any single one of another project. */
const SINGLE_MS_GOAL = 1_000;

/** More than a limit of 300 has left, and fewer. */
const LIMIT_ASKS = [400, 20];

/** Ctrl-C takes everything along that was started. */
const cut = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => cut.abort());

const program = new Command('chaos');
program
  .command('core')
  .description('intake, outbox, queue and reconciler')
  .option('--seeds <count>', 'runs, each with its own seed', whole, 3)
  .option('--seconds <seconds>', 'load of each run, at least', whole, 60)
  .option('--from <seed>', 'the first seed', whole, 1)
  .option('--keep', 'leave the files of a run (logs, lists) where they are')
  .action(async (options: { seeds: number; seconds: number; from: number; keep?: true }) => {
    const reports: CoreReport[] = [];
    for (let seed = options.from; seed < options.from + options.seeds; seed++)
      reports.push(await run(seed, options.seconds, options.keep ?? false));
    process.stdout.write(`${summary(reports)}\n`);
    process.exitCode = reports.some(({ problems }) => problems.length > 0) ? 1 : 0;
  });
program
  .command('telegram')
  .description("10 000 messages at Telegram's real pace, then two projects at once, then 429s at random")
  .option('--speed <times>', 'times faster than Telegram', whole, 1)
  .option('--recipients <count>', 'of the large broadcast', whole, 10_000)
  .action(async (options: { speed: number; recipients: number }) => {
    const third = Math.ceil(options.recipients / 3);
    const runs = [
      { broadcasts: [options.recipients], busyShare: 0 },
      { broadcasts: [third, third, 10], busyShare: 0 },
      { broadcasts: [third], busyShare: 0.002 },
    ];
    for (const { broadcasts, busyShare } of runs) await broadcast(options.speed, broadcasts, busyShare);
  });
program
  .command('limits')
  .description(
    'a limit of 300 over 1 and 3 processes, while Redis or a process stands still, is late, stopped or wiped',
  )
  .option('--seconds <seconds>', 'how long each fault lasts', whole, 5)
  .action(async (options: { seconds: number }) => {
    for (const fault of limitFaults)
      for (const processes of [1, 3])
        for (const asks of LIMIT_ASKS)
          await limits({ fault, processes, asks, faultMs: options.seconds * 1_000 });
  });
program
  .command('pauses')
  .description('a broadcast under pauses, resumes and kills, with two schedulers; then one that is cancelled')
  .option('--recipients <count>', 'of each broadcast', whole, 2_000)
  .option('--commands <count>', 'pauses and resumes', whole, 1_000)
  .option('--seed <seed>', 'of the moments', whole, 1)
  .action(async (options: { recipients: number; commands: number; seed: number }) => {
    for (const cancel of [false, true])
      await inDirectory('pauses', async (directory) => {
        const report = await runPauses({ ...options, cancel, directory });
        process.stdout.write(`${JSON.stringify({ chaos: 'pauses', ...report })}\n`);
        if (report.problems.length > 0) process.exitCode = 1;
      });
  });
program
  .command('priorities')
  .description(
    'single messages while a cancelled broadcast is cleared and another one of the same project runs',
  )
  .option('--recipients <count>', 'of each broadcast', whole, 10_000)
  .option('--samples <count>', 'single messages of each sort', whole, 10)
  .action((options: { recipients: number; samples: number }) =>
    inDirectory('priorities', async (directory) => {
      const report = await runPriorities({ ...options, directory });
      process.stdout.write(`${JSON.stringify({ chaos: 'priorities', ...report })}\n`);
      if (Math.max(...report.urgentMs, ...report.neighbourMs) > SINGLE_MS_GOAL) process.exitCode = 1;
    }),
  );
program
  .command('strangers')
  .description('an attack with two publishable keys on numbers whose owners sign in meanwhile')
  .option('--requests <count>', 'of the attack', whole, 5_000)
  .option('--numbers <count>', 'under attack', whole, 200)
  .option('--addresses <count>', 'of the attack', whole, 20)
  .option('--seed <seed>', 'of what is tried', whole, 1)
  .action(async (options: { requests: number; numbers: number; addresses: number; seed: number }) => {
    for (const keys of attackKeys)
      for (const order of attackOrders)
        await inDirectory('strangers', async (directory) => {
          const report = await runStrangers({ ...options, keys, order }, directory);
          process.stdout.write(`${JSON.stringify({ chaos: 'strangers', ...report })}\n`);
          if (report.problems.length > 0) process.exitCode = 1;
        });
  });
program.addCommand(payoutChaos());
program.addCommand(earnChaos());
await program.parseAsync();

async function inDirectory(name: string, work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), `navbat-${name}-`));
  await chmod(directory, 0o711);
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function limits(given: Omit<LimitRun, 'directory'>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-limits-'));
  await chmod(directory, 0o711);
  try {
    const report = await runLimits({ ...given, directory });
    process.stdout.write(`${JSON.stringify(report)}\n`);
    if (report.problems.length > 0) process.exitCode = 1;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function broadcast(speed: number, broadcasts: readonly number[], busyShare: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-telegram-'));
  await chmod(directory, 0o711);
  try {
    const report = await runTelegram(
      { speed, broadcasts, busyShare, directory },
      (line) => void process.stderr.write(`${line}\n`),
    );
    process.stdout.write(`${JSON.stringify({ chaos: 'telegram', broadcasts, busyShare, ...report })}\n`);
    const { lost, doubled, breaches, disobeyed, rateShare, codeMs } = report;
    const isSlow = busyShare === 0 && (rateShare < RATE_SHARE_GOAL || codeMs > CODE_MS_GOAL);
    if (lost + doubled + breaches + disobeyed > 0 || isSlow) process.exitCode = 1;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function run(seed: number, seconds: number, keep: boolean): Promise<CoreReport> {
  const directory = await mkdtemp(join(tmpdir(), `navbat-chaos-${seed}-`));
  await chmod(directory, 0o711);
  process.stdout.write(`seed ${seed}, in ${directory}\n`);
  const report = await runCore(
    {
      seed,
      directory,
      seconds,
      faults: serverFaults,
      redisAwayMs: REDIS_AWAY_MS,
      waiting: WAITING,
      tell: (line) => void process.stdout.write(`${line}\n`),
    },
    cut.signal,
  );
  process.stdout.write(`${JSON.stringify(report)}\n`);
  if (report.problems.length === 0 && !keep) await rm(directory, { recursive: true, force: true });
  return report;
}

function summary(reports: readonly CoreReport[]): string {
  const histogram = new Map<string, number>();
  for (const [sends, count] of reports.flatMap(({ histogram }) => Object.entries(histogram)))
    histogram.set(sends, (histogram.get(sends) ?? 0) + count);
  return [
    'sends of a job: jobs',
    ...[...histogram]
      .toSorted(([a], [b]) => Number(a) - Number(b))
      .map(([sends, count]) => `  ${sends}: ${count}`),
    `202s ${sum(reports.map(({ answered202 }) => answered202))}, slowest to settle ${Math.max(...reports.map(({ settledWithinMs }) => settledWithinMs))} ms`,
    ...reports.flatMap(({ seed, problems }) => problems.map((problem) => `seed ${seed}: ${problem}`)),
  ].join('\n');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
