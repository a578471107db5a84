import { setTimeout as sleep } from 'node:timers/promises';
import { rowEncryption } from '../../../../infra/process/crypto.ts';
import { readConfig } from '../../../../infra/process/config.ts';
import { dice } from '../../../chaos/support/dice.ts';
import pg from 'pg';
import { makeBatches, makeHands } from '../../../chaos/pay/payout/stage.ts';
import type { Stage } from '../../support/stage.ts';
import { type Paying, startPaying } from './processes.ts';

const LOOK_MS = 250;
/** Nothing ends for so long: something has gone wrong. */
const STANDSTILL_MS = 60_000;
const LARGE_SEED = 1_000;
/** Tiyin: 1 000 to 9 000 UZS, so that 100 000 lines are within what a batch may come to. */
const NETS = [100_000, 900_000] as const;

/** Batches that are approved and wait for somebody to run them. */
export interface Approved {
  readonly rounds: readonly string[];
  readonly large: string | null;
}

/** Approved batches of a stage, before anything runs: one a round, and the large one. */
export async function approve(stage: Stage): Promise<Approved> {
  const { rounds, items, batch } = stage.options;
  const owner = new pg.Pool({ connectionString: stage.ownerUrl, max: 2 });
  const encryption = rowEncryption(readConfig(stage.env, ['ENCRYPTION_KEYS']).ENCRYPTION_KEYS);
  const hands = await makeHands(owner);
  const make = (seeds: readonly number[], each: number) =>
    makeBatches(
      owner,
      encryption,
      hands,
      seeds.map((seed) => ({ seed, dice: dice(seed) })),
      { items: each, linesMax: each, until: 'approved', nets: NETS },
    );
  const each = Math.floor(items / rounds);
  const made = {
    rounds:
      each > 0
        ? await make(
            Array.from({ length: rounds }, (_, round) => round + 1),
            each,
          )
        : [],
    large: batch > 0 ? ((await make([LARGE_SEED], batch))[0] ?? null) : null,
  };
  await owner.query('vacuum analyze');
  await owner.end();
  return made;
}

/** Everything that pays, with batches that are approved. */
export class PayoutStage {
  readonly stage: Stage;
  readonly paying: Paying;
  readonly approved: Approved;

  private constructor(stage: Stage, paying: Paying, approved: Approved) {
    this.stage = stage;
    this.paying = paying;
    this.approved = approved;
  }

  static async open(stage: Stage): Promise<PayoutStage> {
    const startedMs = performance.now();
    const approved = await approve(stage);
    console.error(`batches approved after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
    const paying = await startPaying(stage);
    await paying.control('settings', { answer_ms: stage.options.answer });
    return new PayoutStage(stage, paying, approved);
  }

  close = (): Promise<void> => this.paying.close();

  /** Runs, pauses or resumes it as finance does; answers when that was asked. */
  async order(batch: string, what: 'run' | 'pause' | 'resume'): Promise<number> {
    const { rows } = await this.stage.sql.query<{ version: number }>(
      'select version from payout_batch where id = $1',
      [batch],
    );
    const askedAtMs = Date.now();
    const body = what === 'pause' ? { reason: 'bench' } : {};
    await this.paying.maker.send('POST', `/finance/batches/${batch}/${what}`, body, {
      'If-Match': `"${rows[0]?.version}"`,
    });
    return askedAtMs;
  }

  /** Waits until the rail has paid so many in all. */
  async untilPaid(count: number): Promise<void> {
    const { paid } = this.paying.railLog;
    let [last, atMs] = [paid.size, performance.now()];
    while (paid.size < count) {
      await sleep(LOOK_MS);
      if (paid.size > last) [last, atMs] = [paid.size, performance.now()];
      if (performance.now() - atMs > STANDSTILL_MS)
        throw new Error(`${paid.size} of ${count} paid, and none for ${STANDSTILL_MS} ms`);
    }
  }

  /** Waits for its last line. @throws where not each of its lines was paid. */
  async untilDone(batch: string): Promise<void> {
    const deadline = performance.now() + STANDSTILL_MS;
    for (;;) {
      const { rows } = await this.stage.sql.query<{ state: string; unpaid: number }>(readDone, [batch]);
      if (rows[0]?.state === 'done' && rows[0].unpaid === 0) return;
      if (performance.now() > deadline) throw new Error(`the batch is not done: ${JSON.stringify(rows[0])}`);
      await sleep(LOOK_MS);
    }
  }
}

const readDone = `
select b.state, (select count(*)::int from payout_item i where i.batch_id = b.id and i.state <> 'paid') unpaid from payout_batch b where b.id = $1`;
