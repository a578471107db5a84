import { setTimeout as sleep } from 'node:timers/promises';
import { payout } from '../../../../domain/pay/dispatch/job.ts';
import { openQueues } from '../../../../infra/queue/queues.ts';
import { LoadReport } from '../../load/order.ts';
import type { Child } from '../../support/child.ts';
import { acceptedAt, callsTo, chatOf, p50And99, seedRecipients, timeOf } from '../../support/codes.ts';
import { machine, residentBytesOf } from '../../support/cpu.ts';
import { type Figure, figure } from '../../support/figures.ts';
import { type Project, seedProjects } from '../../support/seed.ts';
import { rateOf } from './rail-log.ts';
import type { PayoutStage } from './stage.ts';

/** Codes a second, of as many projects. */
const CODES_PER_SECOND = 20;
const WARMUP_SECONDS = 2;
const CODES_TIMEOUT_MS = 60_000;
/** How much of the batch is paid when memory is read; at the pause's, and while codes are sent. */
const MEMORY_AT = [0.1, 0.5, 0.9] as const;
const PAUSE_AT = 0.3;
/** Longer than a payment that finds its batch paused sleeps. */
const PAUSE_MS = 12_000;
const CODES_AT = 0.55;
const SAMPLE_MS = 250;
const MIB = 1_048_576;

/** One batch, and what it asks of everything else that runs. */
export async function largeBatch(bench: PayoutStage): Promise<Figure[]> {
  const { stage, approved, paying } = bench;
  const batch = approved.large;
  if (batch === null) throw new Error('no large batch');
  const codes = await openCodes(bench);
  const idle = await codes.turn();
  console.error(`codes, idle: ${JSON.stringify(idle)} (${machine()})`);
  const before = paying.railLog.paid.size;
  const entries = watchEntries(bench);
  const cpu = stage.watch();
  const startedMs = performance.now();
  const askedAtMs = await bench.order(batch, 'run');
  await bench.untilPaid(before + 1);
  const firstMs = ([...paying.railLog.paid.values()][before] ?? Number.NaN) - askedAtMs;
  const { memory, busy } = await meanwhile(bench, batch, before, codes, entries);
  await bench.untilDone(batch);
  const seconds = (performance.now() - startedMs) / 1_000;
  const cores = cpu();
  await entries.stop();
  console.error(`large batch: ${seconds.toFixed(1)} s, ${JSON.stringify(cores)} (${machine()})`);
  const payments = stage.options.batch;
  const paidAtMs = [...paying.railLog.paid.values()].slice(before);
  const micros = (of: string) => ((cores[of] ?? Number.NaN) * seconds * 1e6) / payments;
  return [
    figure('payout', `ms from run to the first payment of ${payments}`, [firstMs]),
    figure('payout', `payments/s of ${payments}, with the pause`, [rateOf(paidAtMs)]),
    figure('payout', 'queue entries of payments at most, running', [entries.most.running]),
    figure('payout', 'queue entries of payments at most, paused', [entries.most.paused]),
    ...memory,
    figure('payout', 'p99 ms of codes, accepted → provider called, against idle', [busy[1]], [idle[1]]),
    figure('payout', 'p50 ms of codes, accepted → provider called, against idle', [busy[0]], [idle[0]]),
    ...['worker-payout', 'postgres', 'redis', 'worker-reconciler', 'api', 'rail'].map((of) =>
      figure('payout', `CPU us a payment of ${payments}: ${of}`, [micros(of)]),
    ),
    figure('payout', 'cores busy with other work of the machine, large batch', [
      cores['others'] ?? Number.NaN,
    ]),
  ];
}

/** What is measured while it runs, each at its share of the payments. */
async function meanwhile(bench: PayoutStage, batch: string, before: number, codes: Codes, entries: Entries) {
  const { options } = bench.stage;
  const memory = new Map<string, number[]>();
  let busy: Quantiles = [Number.NaN, Number.NaN];
  const steps: readonly (readonly [number, () => Promise<void>])[] = [
    ...MEMORY_AT.map(
      (share) =>
        [
          share,
          async () => {
            for (const [name, pid] of Object.entries(bench.paying.pids))
              memory.set(name, [...(memory.get(name) ?? []), residentBytesOf(pid) / MIB]);
          },
        ] as const,
    ),
    [
      PAUSE_AT,
      async () => {
        await bench.order(batch, 'pause');
        entries.phase = 'paused';
        await sleep(PAUSE_MS);
        entries.phase = 'running';
        await bench.order(batch, 'resume');
      },
    ],
    [
      CODES_AT,
      async () => {
        busy = await codes.turn();
        console.error(`codes, meanwhile: ${JSON.stringify(busy)} (${machine()})`);
      },
    ],
  ];
  for (const [share, step] of steps.toSorted(([a], [b]) => a - b)) {
    await bench.untilPaid(before + Math.ceil(share * options.batch));
    await step();
    console.error(`${share} of the batch (${machine()})`);
  }
  await bench.untilPaid(before + options.batch);
  return { busy, memory: [...memory].map(([name, mib]) => memoryFigure(name, mib)) };
}

const memoryFigure = (name: string, [early = Number.NaN, ...later]: readonly number[]): Figure =>
  figure(
    'payout',
    `MiB resident of ${name} at most, against 10 % of the batch`,
    [Math.max(early, ...later)],
    [early],
  );

interface Entries {
  phase: 'running' | 'paused';
  readonly most: Record<'running' | 'paused', number>;
  readonly stop: () => Promise<void>;
}

/** Counts all queue entries of payments, in whatever state they are. */
function watchEntries({ stage }: PayoutStage): Entries {
  const queues = openQueues(stage.redis(0).duplicate(), { payout });
  let isOver = false;
  const watched: Entries = {
    phase: 'running',
    most: { running: 0, paused: 0 },
    stop: async () => {
      isOver = true;
      await looking;
      await queues.of.payout.close();
      queues.redis.disconnect();
    },
  };
  const looking = (async () => {
    while (!isOver) {
      const counts = await queues.of.payout.getJobCounts();
      const count = Object.values(counts).reduce((sum, some) => sum + some, 0);
      watched.most[watched.phase] = Math.max(watched.most[watched.phase], count);
      await sleep(SAMPLE_MS);
    }
  })();
  return watched;
}

type Quantiles = readonly [p50: number, p99: number];
interface Codes {
  /** From a code's acceptance to its provider's being called, in milliseconds. */
  readonly turn: () => Promise<Quantiles>;
}

async function openCodes(bench: PayoutStage): Promise<Codes> {
  const { stage } = bench;
  const pepper = stage.env['PEPPER'] ?? '';
  const projects = await seedProjects(stage.sql, pepper, CODES_PER_SECOND);
  const load = await stage.start('load', 'test/bench/load/main.ts');
  const seconds = 2 * stage.options.seconds;
  let first = 0;
  return {
    turn: async () => {
      const count = (WARMUP_SECONDS + seconds + 1) * CODES_PER_SECOND;
      await seedRecipients(stage.sql, pepper, projects, { first, count });
      const order = {
        rate: CODES_PER_SECOND,
        connections: CODES_PER_SECOND,
        warmupSeconds: WARMUP_SECONDS,
        seconds,
        trace: true,
      };
      const quantiles = await sendCodes(bench, load, projects, { ...order, firstNumber: first });
      // Known are more than were asked for.
      first += count;
      return quantiles;
    },
  };
}

async function sendCodes(
  { stage, paying }: PayoutStage,
  load: Child,
  projects: readonly Project[],
  order: { readonly firstNumber: number; readonly seconds: number; readonly rate: number },
) {
  load.tell({ port: paying.apiPort, keys: projects.map(({ key }) => key), ...order });
  const report = LoadReport.parse(await load.answer(CODES_TIMEOUT_MS + order.seconds * 1_000));
  const sent = report.nextNumber - order.firstNumber;
  if (report.statuses['202'] !== sent)
    throw new Error(`${sent} codes asked for, yet ${JSON.stringify(report.statuses)}`);
  const calledAt = await callsTo(paying.provider, sent);
  const chats = report.traces.map(([number]) => chatOf(number));
  const accepted = await acceptedAt(stage.sql, chats);
  return p50And99(chats.map((chat) => timeOf(calledAt, chat) - timeOf(accepted, chat)));
}
