import type pg from 'pg';
import type { Dice } from '../../../support/dice.ts';
import type { VirtualClock } from './clock.ts';
import type { VirtualRail } from './rail.ts';
import type { Hands } from '../stage.ts';
import { openingProof, settlingProof } from '../../../../infra/postgres/pay/proofs.ts';
import { Tally } from '../tally.ts';

/** Chances of each in a round. */
const STOP = 0.01;
const PAUSE = 0.02;
const CANCEL = 0.003;
const JOBS_LOST = 0.01;
const QUEUE_WIPED = 0.01;
const AWAY = 0.005;
const awayMs = [30_000, 600_000, 10_800_000] as const;
/** Another version of the batch, or another state. */
const TOO_LATE: ReadonlySet<string> = new Set(['NB020', 'NB027']);
/** As long as people take to agree. */
const OPENED_AFTER_MS = 120_000;

/** What happens around the workers: people stop, pause, cancel, open and settle; jobs and the queue are lost; the rail is away. */
export class Events {
  readonly counts = new Tally();
  readonly stops: { readonly answeredMs: number; openedMs: number }[] = [];
  readonly #pool: pg.Pool;
  readonly #owner: pg.Pool;
  readonly #hands: Hands;
  readonly #clock: VirtualClock;
  readonly #rail: VirtualRail;
  readonly #dice: Dice;

  constructor(
    pool: pg.Pool,
    owner: pg.Pool,
    hands: Hands,
    clock: VirtualClock,
    rail: VirtualRail,
    from: Dice,
  ) {
    this.#pool = pool;
    this.#owner = owner;
    this.#hands = hands;
    this.#clock = clock;
    this.#rail = rail;
    this.#dice = from;
  }

  /** Beside a round of the workers. */
  async disturb(wipe: () => void): Promise<void> {
    const roll = this.#dice.unit();
    const chances: readonly (readonly [number, () => unknown])[] = [
      [STOP, () => this.#stop()],
      [PAUSE, () => this.#pause()],
      [CANCEL, () => this.#cancelRest()],
      [JOBS_LOST, () => this.#loseJobs()],
      [QUEUE_WIPED, () => this.#wipe(wipe)],
      [AWAY, () => this.#goAway()],
    ];
    let left = roll;
    for (const [chance, happen] of chances) {
      left -= chance;
      if (left < 0) {
        // In the middle of it.
        await new Promise((resolve) => setTimeout(resolve, this.#dice.whole(0, 30)));
        await happen();
        return;
      }
    }
  }

  /** People look: what is stuck is settled by what the rail itself says, what stopped is opened, what is paused goes on. */
  async housekeeping(): Promise<boolean> {
    await this.#owner.query('delete from turn_request');
    await this.#pool.query('select batch_cancel_due(100)');
    const settled = await this.#settleStuck();
    const opened = await this.#openRail();
    const resumed = await this.#resume();
    return settled || opened || resumed;
  }

  /** Batches that are under way. */
  async isOpen(): Promise<boolean> {
    const { rows } = await this.#pool.query(
      `select from payout_batch where state in ('running', 'paused') limit 1`,
    );
    return rows.length > 0;
  }

  async #stop(): Promise<void> {
    await this.#pool.query('select rail_stop($1, $2, $3)', [
      this.#dice.pick(['all', 'multicard']),
      this.#hands.maker,
      'chaos',
    ]);
    this.stops.push({ answeredMs: this.#clock.nowMs, openedMs: Number.POSITIVE_INFINITY });
    this.counts.add('rail stopped by a person');
  }

  async #openRail(): Promise<boolean> {
    const { rows } = await this.#pool.query<{ id: string; reason: string; stopped_by: string }>(
      'select id, reason, stopped_by from rail where stopped_at is not null',
    );
    if (rows.length === 0) return false;
    for (const stop of this.stops) stop.openedMs = Math.min(stop.openedMs, this.#clock.nowMs);
    // Only then the next one looks.
    await this.#clock.forwardTo(this.#clock.nowMs + OPENED_AFTER_MS);
    for (const { id, reason, stopped_by: by } of rows) {
      if (by === 'navbat') this.counts.add(`rail stopped itself: ${reason}`);
      await this.#pool.query('select rail_open_ask($1, $2, $3)', [id, this.#hands.maker, 'mended']);
      const { other } = this.#hands;
      const proof = await openingProof(this.#pool, other, id);
      await this.#pool.query('select rail_open_agree($1, $2, $3)', [id, other, proof]);
    }
    return true;
  }

  async #pause(): Promise<void> {
    await this.#ofBatch(
      'running',
      'batch_pause($1, $2, $3, $4)',
      [this.#hands.maker, 'look'],
      'batch paused',
    );
  }

  async #cancelRest(): Promise<void> {
    await this.#pause();
    await this.#ofBatch(
      'paused',
      'batch_cancel_rest($1, $2, $3, $4)',
      [this.#hands.maker, 'late'],
      'rest cancelled',
    );
  }

  async #resume(): Promise<boolean> {
    const { rows } = await this.#pool.query<{ id: string; version: number }>(
      `select b.id, b.version from payout_batch b where b.state = 'paused'
         and not exists (select from payout_action a where a.batch_id = b.id and a.action = 'cancel-rest')`,
    );
    for (const { id, version } of rows)
      await this.#pool.query('select batch_resume($1, $2, $3)', [id, version, this.#hands.maker]);
    return rows.length > 0;
  }

  async #ofBatch(state: string, call: string, values: readonly string[], counts: string): Promise<void> {
    const { rows } = await this.#pool.query<{ id: string; version: number }>(
      `select b.id, b.version from payout_batch b join payout_dispatch d on d.batch_id = b.id and d.state in ('waiting', 'drafting', 'confirming')
       where b.state = $1 limit 1`,
      [state],
    );
    if (!rows[0]) return;
    try {
      await this.#pool.query(`select ${call}`, [rows[0].id, rows[0].version, ...values]);
      this.counts.add(counts);
    } catch (error) {
      // Its last payment has ended meanwhile.
      if (!(error instanceof Error) || !TOO_LATE.has(String(Reflect.get(error, 'code')))) throw error;
    }
  }

  async #loseJobs(): Promise<void> {
    await this.#owner.query(`delete from job where kind = 'payout' and finished_at is null and id in (
      select id from job where kind = 'payout' and finished_at is null order by id limit 100)`);
    this.counts.add('100 jobs deleted');
  }

  #wipe(wipe: () => void): void {
    wipe();
    this.counts.add('queue wiped');
  }

  #goAway(): void {
    this.#rail.awayUntilMs = this.#clock.nowMs + this.#dice.pick(awayMs);
    this.counts.add('rail away');
  }

  async #settleStuck(): Promise<boolean> {
    const { rows } = await this.#pool.query<{ id: string; attempt: number }>(
      `select id, attempt from payout_dispatch where state = 'stuck'`,
    );
    let settled = false;
    for (const { id, attempt } of rows) {
      const references = Array.from({ length: attempt }, (_, i) => `${id}-${i + 1}`);
      const wasPaid = this.#rail.wasPaid(references);
      if (wasPaid === null) continue;
      const outcome = wasPaid ? 'paid' : 'failed';
      await this.#pool.query('select dispatch_settle_ask($1, $2, $3, $4)', [
        id,
        this.#hands.maker,
        outcome,
        'by its history',
      ]);
      const { other } = this.#hands;
      const proof = await settlingProof(this.#pool, other, id);
      await this.#pool.query('select dispatch_settle_agree($1, $2, $3, $4)', [id, other, outcome, proof]);
      this.counts.add(`settled by two as ${outcome}`);
      settled = true;
    }
    return settled;
  }
}
