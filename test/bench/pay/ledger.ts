import { type Cores, machine } from '../support/cpu.ts';
import { type Figure, figure, median } from '../support/figures.ts';
import type { Options } from '../support/options.ts';
import { seedProjects } from '../support/seed.ts';
import { onStage, type Stage } from '../support/stage.ts';
import { BATCH, CONNECTIONS_MAX, openSides, type Sides } from './sides.ts';

/** Of a turn: so that a small book is still small at the end of its rounds. */
const GROWTH_MAX = 0.25;
/** Connections that each one-by-one side is tried on at each size; the best goes into every round. */
const tried = [1, 2, 4, 8, CONNECTIONS_MAX] as const;
/** Of each try. */
const TRIES = 2;

type Side = 'post' | 'insert' | OneByOne;
/** A row lock a transfer: by a function, or as the statements of a transaction. */
type OneByOne = 'one' | 'transaction';
interface Turn {
  readonly perSecond: number;
  /** CPU microseconds of all of Postgres, a transfer. */
  readonly postgresMicros: number;
  readonly cores: Cores;
}

/** Posting by `ledger_post` into one hot account, in books of several sizes, against a row lock a transfer and against a raw insert. */
export async function ledgerPosting(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  await onStage(options, async (stage) => {
    const [project] = await seedProjects(stage.sql, stage.env['PEPPER'] ?? '', 1);
    if (!project) throw new Error('no project');
    const bench = new LedgerBench(stage, await openSides(stage, project.id));
    const rates: number[] = [];
    for (const size of options.sizes) {
      const { posts, of } = await bench.at(size);
      figures.push(...of);
      rates.push(median(posts));
    }
    figures.push(
      figure(
        'ledger',
        'transfers/s, slowest size against fastest',
        [Math.min(...rates)],
        [Math.max(...rates)],
      ),
    );
    await bench.close();
  });
  return figures;
}

class LedgerBench {
  readonly #stage: Stage;
  readonly #sides: Sides;

  constructor(stage: Stage, sides: Sides) {
    this.#stage = stage;
    this.#sides = sides;
  }

  async at(size: number): Promise<{ posts: readonly number[]; of: readonly Figure[] }> {
    const startedMs = performance.now();
    await this.#sides.fill(size);
    const fillSeconds = (performance.now() - startedMs) / 1_000;
    console.error(`${size} transfers in the book after ${fillSeconds.toFixed(1)} s (${machine()})`);
    const connections = {
      one: await this.#bestConnections('one', size),
      transaction: await this.#bestConnections('transaction', size),
      post: 1,
      insert: 1,
    };
    const turns: Record<Side, Turn[]> = { post: [], one: [], transaction: [], insert: [] };
    for (let round = 1; round <= this.#stage.options.rounds; round++)
      for (const side of ['post', 'one', 'transaction', 'insert'] as const) {
        const turn = await this.#turn(side, connections[side], size);
        turns[side].push(turn);
        console.error(`${size}, round ${round} ${side}: ${JSON.stringify(turn)} (${machine()})`);
      }
    await this.#sides.assertWhole();
    const posts = turns.post.map(({ perSecond }) => perSecond);
    return {
      posts,
      of: [
        figure('ledger', `seconds to fill to ${size}`, [fillSeconds]),
        ...figuresOf(size, connections, turns),
      ],
    };
  }

  close = (): Promise<void> => this.#sides.close();

  async #bestConnections(side: OneByOne, size: number): Promise<number> {
    let best = { connections: 1, perSecond: 0 };
    for (let turn = 0; turn < TRIES; turn++)
      for (const connections of tried) {
        const { perSecond } = await this.#turn(side, connections, size);
        console.error(`${size}, ${side} on ${connections}: ${Math.round(perSecond)}/s`);
        if (perSecond > best.perSecond) best = { connections, perSecond };
      }
    return best.connections;
  }

  /** For so many seconds, or until the book has grown by its share. */
  async #turn(side: Side, connections: number, size: number): Promise<Turn> {
    await this.#stage.sql.query('checkpoint');
    const rows = side === 'one' || side === 'transaction' ? 1 : BATCH;
    const most = Math.max(10 * BATCH, size * GROWTH_MAX);
    const run = this.#sides[side];
    const cpu = this.#stage.watch();
    const startedMs = performance.now();
    const endMs = startedMs + this.#stage.options.seconds * 1_000;
    let written = 0;
    const worker = async () => {
      while (performance.now() < endMs && written < most) {
        written += rows;
        await run();
      }
    };
    await Promise.all(Array.from({ length: connections }, worker));
    const seconds = (performance.now() - startedMs) / 1_000;
    const cores = cpu();
    const postgresMicros = ((cores['postgres'] ?? Number.NaN) * seconds * 1e6) / written;
    return { perSecond: written / seconds, postgresMicros, cores };
  }
}

function figuresOf(
  size: number,
  connections: Readonly<Record<OneByOne, number>>,
  turns: Readonly<Record<Side, readonly Turn[]>>,
): Figure[] {
  const rates = (side: Side) => turns[side].map(({ perSecond }) => perSecond);
  const micros = (side: Side) => turns[side].map(({ postgresMicros }) => postgresMicros);
  const others = Object.values(turns).flatMap((all) => all.map(({ cores }) => cores['others'] ?? Number.NaN));
  const one = `a row lock a transfer, one call of a function (${connections.one} connections)`;
  const transaction = `a row lock a transfer, six statements (${connections.transaction} connections)`;
  return [
    figure('ledger', `transfers/s at ${size}, against ${one}`, rates('post'), rates('one')),
    figure('ledger', `transfers/s at ${size}, against ${transaction}`, rates('post'), rates('transaction')),
    figure('ledger', `transfers/s at ${size}, against a raw insert`, rates('post'), rates('insert')),
    figure(
      'ledger',
      `CPU us of Postgres a transfer at ${size}, against ${one}`,
      micros('post'),
      micros('one'),
    ),
    figure(
      'ledger',
      `CPU us of Postgres a transfer at ${size}, against ${transaction}`,
      micros('post'),
      micros('transaction'),
    ),
    figure(
      'ledger',
      `CPU us of Postgres a transfer at ${size}, against a raw insert`,
      micros('post'),
      micros('insert'),
    ),
    figure('ledger', `cores busy with other work of the machine at ${size}`, [median(others)]),
  ];
}
