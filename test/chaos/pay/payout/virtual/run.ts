import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import type { JobId } from '../../../../../domain/shared/ids.ts';
import { startPostgres } from '../../../../../infra/embedded/postgres.ts';
import { hotPool } from '../../../../../infra/postgres/engine/hot-pool.ts';
import { jobStore } from '../../../../../infra/postgres/job/attempts.ts';
import { migrate } from '../../../../../infra/postgres/migrate.ts';
import { dispatchStore } from '../../../../../infra/postgres/pay/dispatch/store.ts';
import { dispatchRounds } from '../../../../../infra/postgres/pay/dispatch/ticks.ts';
import { paySettle } from '../../../../../infra/postgres/pay/settle.ts';
import { rowEncryption } from '../../../../../infra/process/crypto.ts';
import { type Dice, dice } from '../../../support/dice.ts';
import { audit, type Verdict } from '../auditor.ts';
import { VirtualClock } from './clock.ts';
import { Events } from './events.ts';
import { live, type World, type WorkerPorts } from './lives.ts';
import { VirtualRail } from './rail.ts';
import { makeBatches, makeHands } from '../stage.ts';
import { Tally } from '../tally.ts';

export interface VirtualRun {
  readonly from: number;
  readonly seeds: number;
  /** Of each seed. */
  readonly items: number;
  /** `exposure_max` of the rail: the more, the faster, since what is in doubt waits for the clock. */
  readonly exposure: number;
  readonly directory: string;
  readonly tell: (line: string) => void;
}
export interface VirtualReport extends Verdict {
  readonly seeds: number;
  readonly faults: Tally;
  readonly kills: Tally;
  readonly freezes: Tally;
  readonly lostAnswers: Tally;
  readonly events: Tally;
  readonly virtualHours: number;
  readonly prepareSeconds: number;
  readonly seconds: number;
  readonly itemsPerSecond: number;
  readonly auditSeconds: number;
}

/** Chance at each of the places, some 20 of them a payment. */
const shares = { kill: 0.004, freeze: 0.002, lostAnswer: 0.0005 };
const WORKERS = 2;
/** As many as a worker of the product has. */
const HANDS = 32;
const CONNECTIONS = 6;
/** Several that run at once; what is in doubt in each of the first hundred would keep the others from beginning. */
const BATCHES = 50;
const [LINES_MIN, LINES_MAX] = [100, 10_000];
/** As many as one call starts. */
const AHEAD_MAX = 5_000;
/** Lines that are made in one go. */
const LINES_AT_ONCE = 20_000;
/** A wake-up that came to nothing is given to another worker after so long. */
const AGAIN_MS = 1_000;
/** How late somebody may be, so that others are due at once. */
const LATE_MS = 20_000;
const HOUR_MS = 3_600_000;
const TELL_EVERY_MS = 15_000;

export async function runVirtual(run: VirtualRun): Promise<VirtualReport> {
  // What dies here are workers: a crash of Postgres is tried with processes.
  const settings = {
    fsync: 'off',
    full_page_writes: 'off',
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_wal_size: '4GB',
    shared_buffers: '2GB',
  };
  const postgres = await startPostgres({ directory: join(run.directory, 'servers'), settings });
  const owner = new pg.Pool({ connectionString: postgres.ownerUrl, max: 2 });
  // One that is still closing when the server ends is told so.
  owner.on('connect', (client) => client.on('error', () => undefined)).on('error', () => undefined);
  const pool = hotPool(postgres.url, CONNECTIONS);
  try {
    await migrate(postgres.ownerUrl);
    return await new VirtualStage(run, owner, pool).play();
  } finally {
    await Promise.all([pool.end(), owner.end()]);
    await postgres.stop();
  }
}

interface Waiting {
  dueMs: number;
  isBlocked: boolean;
  readonly dice: Dice;
}

class VirtualStage {
  readonly #run: VirtualRun;
  readonly #owner: pg.Pool;
  readonly #pool: pg.Pool;
  readonly #clock: VirtualClock;
  readonly #rail: VirtualRail;
  readonly #world: World;
  readonly #workers: readonly WorkerPorts[];
  readonly #encryption = rowEncryption({ current: 'k1', keys: new Map([['k1', randomBytes(32)]]) });
  readonly #faults = new Tally();
  readonly #bugs: unknown[] = [];
  readonly #jobs = new Map<JobId, Waiting>();
  readonly #railLog: string;
  #ended = 0;
  /** As many as make a commit worth its while. */
  readonly #together: number;
  /** Kept waiting for a place at the rail. */
  readonly #ahead: number;
  /** Places at the rail that were given back since somebody last looked for one. */
  #freed = 0;

  constructor(run: VirtualRun, owner: pg.Pool, pool: pg.Pool) {
    this.#run = run;
    this.#together = Math.ceil(run.exposure / 3);
    this.#ahead = Math.min(3 * run.exposure, AHEAD_MAX);
    this.#owner = owner;
    this.#pool = pool;
    this.#clock = new VirtualClock(owner);
    this.#railLog = join(run.directory, 'rail.jsonl');
    this.#rail = new VirtualRail(this.#railLog, this.#clock, this.#faults, (card) =>
      dice(hashOf(`rail ${card}`)),
    );
    const { now } = this.#clock;
    this.#workers = Array.from({ length: WORKERS }, () => ({
      dispatches: dispatchStore(pool, this.#encryption),
      store: jobStore(pool, now, paySettle),
    }));
    this.#world = {
      clock: this.#clock,
      crashes: new Tally(),
      freezes: new Tally(),
      lostAnswers: new Tally(),
      shares,
      port: this.#rail.port,
      living: new Set(),
      onBug: (error) => this.#bugs.push(error),
    };
  }

  async play(): Promise<VirtualReport> {
    const { from, seeds, items, tell } = this.#run;
    const beganMs = Date.now();
    const hands = await makeHands(this.#owner);
    await this.#owner.query(`update rail set exposure_max = $1 where id = 'multicard'`, [this.#run.exposure]);
    await this.#prepare(hands);
    const preparedMs = Date.now();
    tell(`prepared ${seeds} × ${items} in ${preparedMs - beganMs} ms`);
    const events = new Events(this.#pool, this.#owner, hands, this.#clock, this.#rail, dice(from));
    await this.#drain(events);
    const drainedMs = Date.now();
    const sent = this.#rail.requests;
    await this.#again(events);
    this.#rail.settleAll();
    const repeated = this.#rail.requests - sent;
    await this.#rail.close();
    const verdict = await audit({ owner: this.#owner, railLog: this.#railLog, stops: events.stops });
    const { crashes: kills, freezes, lostAnswers } = this.#world;
    const seconds = (drainedMs - preparedMs) / 1_000;
    return {
      seeds,
      ...verdict,
      problems: [
        ...verdict.problems,
        ...(repeated > 0 ? [`a second run called the rail ${repeated} times`] : []),
        ...this.#bugs.map((bug) => `bug: ${String(bug)}`),
      ],
      faults: this.#faults,
      kills,
      freezes,
      lostAnswers,
      events: events.counts,
      virtualHours: Math.round(this.#clock.aheadMs / HOUR_MS),
      prepareSeconds: Math.round((preparedMs - beganMs) / 1_000),
      seconds: Math.round(seconds),
      itemsPerSecond: Math.round(verdict.items / seconds),
      auditSeconds: Math.round((Date.now() - drainedMs) / 1_000),
    };
  }

  async #prepare(hands: Parameters<typeof makeBatches>[2]): Promise<void> {
    const { from, seeds, items } = this.#run;
    const linesMax = Math.min(Math.max(LINES_MIN, (seeds * items) / BATCHES), LINES_MAX);
    const atOnce = Math.max(1, Math.floor(LINES_AT_ONCE / items));
    for (let first = from; first < from + seeds; first += atOnce) {
      const count = Math.min(atOnce, from + seeds - first);
      const some = Array.from({ length: count }, (_, i) => ({ seed: first + i, dice: dice(first + i) }));
      await makeBatches(this.#owner, this.#encryption, hands, some, { items, linesMax });
      // As autovacuum would.
      await this.#owner.query('analyze');
    }
  }

  /** Until nothing is left to do. */
  async #drain(events: Events): Promise<void> {
    const rounds = dispatchRounds(this.#pool);
    let toldMs = Date.now();
    for (let round = 1; ; round++) {
      const started = await rounds.start(this.#ahead);
      const isQuiet = this.#due().length === 0;
      if (isQuiet || round % 20 === 0) {
        await rounds.rejob();
        await rounds.finishBatches();
        const changed = await events.housekeeping();
        if (changed) this.#wakeBlocked(this.#jobs.size);
      }
      if (started > 0 || isQuiet || round % 20 === 0) await this.#look();
      if (
        this.#jobs.size === 0 &&
        this.#clock.nextWakingMs === Number.POSITIVE_INFINITY &&
        !(await events.isOpen())
      )
        return;
      if (this.#due().length === 0) await this.#forward();
      await this.#round(events);
      if (Date.now() - toldMs > TELL_EVERY_MS) {
        toldMs = Date.now();
        this.#run.tell(
          `${this.#ended} ended, ${Math.round(this.#clock.aheadMs / HOUR_MS)} h ahead, round ${round}`,
        );
      }
    }
  }

  /** Once more, as if the queue had forgotten everything. */
  async #again(events: Events): Promise<void> {
    await this.#owner.query(`update job set state = 'queued', finished_at = null where kind = 'payout'
      and id in (select id from job where kind = 'payout' order by id limit 1000)`);
    await this.#drain(events);
  }

  #due(): readonly JobId[] {
    const now = this.#clock.nowMs;
    return [...this.#jobs].flatMap(([id, { dueMs, isBlocked }]) => (dueMs <= now && !isBlocked ? [id] : []));
  }

  /** To where some are due at once, or a moment after the first: the fewer the rounds, the more goes into each commit. */
  async #forward(): Promise<void> {
    if (this.#freed >= this.#together) return this.#wakeBlocked(this.#freed);
    const dues = [...this.#jobs.values()].flatMap(({ dueMs, isBlocked }) => (isBlocked ? [] : [dueMs]));
    const [first = Number.POSITIVE_INFINITY, ...others] = [this.#clock.nextWakingMs, ...dues].toSorted(
      (a, b) => a - b,
    );
    if (first === Number.POSITIVE_INFINITY) {
      await this.#clock.forwardTo(this.#clock.nowMs + AGAIN_MS);
      return this.#wakeBlocked(this.#jobs.size);
    }
    await this.#clock.forwardTo(Math.min(Math.max(first, others[this.#together] ?? 0), first + LATE_MS));
  }

  #wakeBlocked(count: number): void {
    let left = count;
    this.#freed = 0;
    for (const job of this.#jobs.values()) {
      if (left <= 0) return;
      if (!job.isBlocked) continue;
      left -= 1;
      job.isBlocked = false;
      job.dueMs = 0;
    }
  }

  /** Jobs that it does not know yet: new ones, and all of them where the queue was wiped. */
  async #look(): Promise<void> {
    const { rows } = await this.#pool.query<{ id: JobId; card: string; tries: number }>(openJobs, [
      [...this.#jobs.keys()],
    ]);
    for (const { id, card } of rows)
      this.#jobs.set(id, { dueMs: 0, isBlocked: false, dice: dice(hashOf(`worker ${card} ${id}`)) });
  }

  async #round(events: Events): Promise<void> {
    const due = [...this.#due()];
    const before = this.#ended;
    this.#clock.wakeSleepers();
    const disturbing = events.disturb(() => this.#jobs.clear());
    const hand = async (worker: WorkerPorts) => {
      for (let id = due.shift(); id !== undefined; id = due.shift()) await this.#wake(worker, id);
    };
    await Promise.all(this.#workers.flatMap((worker) => Array.from({ length: HANDS }, () => hand(worker))));
    await disturbing;
    while (this.#world.living.size > 0) await Promise.all(this.#world.living);
    this.#freed += this.#ended - before;
  }

  async #wake(worker: WorkerPorts, id: JobId): Promise<void> {
    const job = this.#jobs.get(id);
    if (!job) return;
    const lived = await live(this.#world, worker, id, job.dice);
    if (lived.kind === 'gone') job.dueMs = this.#clock.nowMs + AGAIN_MS;
    else if (lived.woken.kind === 'finished') {
      this.#jobs.delete(id);
      this.#ended += 1;
    } else {
      job.dueMs = lived.woken.until.getTime();
      job.isBlocked = lived.isBlocked;
    }
  }
}

const openJobs = `
select j.id, t.holder_name card from job j join payout_item i on i.dispatch_id = j.subject_id join payout p on p.id = i.payout_id
join payout_destination t on t.id = p.destination_id
where j.kind = 'payout' and j.finished_at is null and j.id <> all ($1)`;

/** FNV-1a: a seed of each item's own, so that others do not change what becomes of it. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
