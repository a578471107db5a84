import { type Cores, machine } from '../../support/cpu.ts';
import { type Figure, figure, median } from '../../support/figures.ts';
import { rateOf } from './rail-log.ts';
import type { PayoutStage } from './stage.ts';

/** Calls at the rail at once, of one process: `RAIL_CALLS_MAX` of workers/pay/wire.ts. */
const RAIL_CALLS_MAX = 8;
const TURN_TIMEOUT_MS = 600_000;

interface Turn {
  readonly perSecond: number;
  readonly seconds: number;
  readonly payments: number;
  readonly firstMs: number;
  readonly cores: Cores;
}

/** A batch a round through everything, against the rail's own client in a loop with as many calls at once, at the same rail. */
export async function shareOfRail(bench: PayoutStage): Promise<Figure[]> {
  const rounds = { queue: [] as Turn[], bare: [] as Turn[] };
  for (const [index, batch] of bench.approved.rounds.entries())
    for (const name of ['bare', 'queue'] as const) {
      const turn = await (name === 'bare' ? bareTurn(bench) : batchTurn(bench, batch));
      rounds[name].push(turn);
      console.error(`round ${index + 1} ${name}: ${JSON.stringify(turn)} (${machine()})`);
    }
  return figuresOf(bench, rounds);
}

function figuresOf(
  { stage }: PayoutStage,
  { queue, bare }: Record<'queue' | 'bare', readonly Turn[]>,
): Figure[] {
  const rates = (turns: readonly Turn[]) => turns.map(({ perSecond }) => perSecond);
  const micros = (of: string) => queue.map((turn) => microsOf(turn, of));
  const others = [...queue, ...bare].map(({ cores }) => cores['others'] ?? Number.NaN);
  return [
    figure(
      'payout',
      `payments/s at ${stage.options.answer} ms a call, ${RAIL_CALLS_MAX} at once, against the rail's own maximum`,
      rates(queue),
      rates(bare),
    ),
    ...['worker-payout', 'postgres', 'redis', 'worker-reconciler', 'api', 'board', 'rail'].map((of) =>
      figure('payout', `CPU us a payment: ${of}`, micros(of)),
    ),
    figure(
      'payout',
      'ms from run to the first payment, small batches',
      queue.map(({ firstMs }) => firstMs),
    ),
    figure('payout', 'cores busy with other work of the machine', [median(others)]),
  ];
}

const microsOf = ({ cores, seconds, payments }: Turn, of: string): number =>
  ((cores[of] ?? Number.NaN) * seconds * 1e6) / payments;

async function batchTurn(bench: PayoutStage, batch: string): Promise<Turn> {
  const { stage, paying } = bench;
  const payments = Math.floor(stage.options.items / stage.options.rounds);
  return measured(bench, payments, async (before) => {
    const askedAtMs = await bench.order(batch, 'run');
    await bench.untilPaid(before + payments);
    await bench.untilDone(batch);
    return Math.min(...[...paying.railLog.paid.values()].slice(before)) - askedAtMs;
  });
}

async function bareTurn(bench: PayoutStage): Promise<Turn> {
  const { stage, paying } = bench;
  const { seconds, answer } = stage.options;
  const payments = Math.ceil((seconds * 1_000 * RAIL_CALLS_MAX) / (2 * Math.max(answer, 1)));
  return measured(bench, payments, async (before) => {
    const child = await stage.start('bare', 'test/bench/pay/payout/bare-client/main.ts', {
      ...paying.env,
      BENCH_PAYMENTS: String(payments),
      BENCH_CONCURRENCY: String(RAIL_CALLS_MAX),
    });
    await child.answer(TURN_TIMEOUT_MS);
    await stage.stopChild('bare');
    await bench.untilPaid(before + payments);
    return Number.NaN;
  });
}

async function measured(
  { stage, paying: { railLog } }: PayoutStage,
  payments: number,
  run: (before: number) => Promise<number>,
): Promise<Turn> {
  await stage.sql.query('checkpoint');
  const before = railLog.paid.size;
  const startedMs = performance.now();
  const cpu = stage.watch();
  const firstMs = await run(before);
  const cores = cpu();
  const seconds = (performance.now() - startedMs) / 1_000;
  if (railLog.paidTwice > 0) throw new Error(`${railLog.paidTwice} were paid twice`);
  const paidAtMs = [...railLog.paid.values()].slice(before);
  if (paidAtMs.length !== payments) throw new Error(`${payments} payments, yet ${paidAtMs.length}`);
  return { perSecond: rateOf(paidAtMs), seconds, payments, firstMs, cores };
}
