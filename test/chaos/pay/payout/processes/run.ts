import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { moveClock } from '../../../../../infra/postgres/engine/clock.ts';
import { type Dice, dice } from '../../../support/dice.ts';
import { audit, type Verdict } from '../auditor.ts';
import { type Hands, makeBatches, makeHands } from '../stage.ts';
import { Tally } from '../tally.ts';
import { openingProof, settlingProof } from '../../../../infra/postgres/pay/proofs.ts';
import { deathPlaces } from './deadly-proxy.ts';
import { installPaying, type PayInstallation } from './installation.ts';

export interface ProcessRun {
  readonly seed: number;
  readonly items: number;
  readonly directory: string;
  readonly tell: (line: string) => void;
}
export interface ProcessReport extends Verdict {
  readonly seed: number;
  readonly faults: Tally;
  readonly strikes: Tally;
  readonly seconds: number;
}

/** So slow that a strike meets calls that are under way. */
const ANSWER_MS = 600;
const STRIKES_EVERY_MS = 2_500;
const LOOK_MS = 1_000;
/** What waits for its next question waits for the clock: it is moved where nothing has ended for so long. */
const QUIET_MS = 4_000;
const FORWARD_MS = 70_000;
/** The last questions are a day away. */
const FORWARD_FACTOR = 3;
const FORWARD_MS_MAX = 86_400_000;
const REST_MS_MAX = 300_000;
const STOPPED_MS = 4_000;
const FREEZES_MS = [2_000, 6_000, 17_000] as const;

export async function runProcesses(run: ProcessRun): Promise<ProcessReport> {
  const installation = await installPaying(run.directory);
  try {
    return await new ProcessStage(run, installation).play();
  } finally {
    await installation.close();
  }
}

class ProcessStage {
  readonly #run: ProcessRun;
  readonly #at: PayInstallation;
  readonly #dice: Dice;
  readonly #strikes = new Tally();
  readonly #stops: { readonly answeredMs: number; openedMs: number }[] = [];
  readonly #problems: string[] = [];
  #aheadMs = 0;

  constructor(run: ProcessRun, installation: PayInstallation) {
    this.#run = run;
    this.#at = installation;
    this.#dice = dice(run.seed);
  }

  async play(): Promise<ProcessReport> {
    const { seed, items, tell } = this.#run;
    const beganMs = Date.now();
    const hands = await makeHands(this.#at.owner);
    await makeBatches(this.#at.owner, this.#at.encryption, hands, [{ seed, dice: this.#dice }], {
      items,
      linesMax: items,
    });
    await this.#at.start();
    await this.#orderFaults();
    tell(`seed ${seed}: ${items} payments, ready after ${Date.now() - beganMs} ms`);
    await this.#strikeAll(hands);
    await this.#untilRest(hands);
    await this.#again();
    await Promise.all(this.#at.workers.map(({ member }) => member.stop()));
    const verdict = await audit({ owner: this.#at.owner, railLog: this.#at.railLog, stops: this.#stops });
    const crashes = this.#at.members.flatMap(({ crashes: each }) => each);
    return {
      seed,
      ...verdict,
      problems: [...verdict.problems, ...this.#problems, ...crashes],
      faults: await this.#faultsThatStruck(),
      strikes: this.#strikes,
      seconds: Math.round((Date.now() - beganMs) / 1_000),
    };
  }

  async #orderFaults(): Promise<void> {
    const { railUrl } = this.#at;
    const hang = { hang_ms: 0 };
    const faults = [
      { on: 'draft', effect: 'decline', rate: 0.02 },
      { on: 'draft', effect: 'hang-before', rate: 0.02, ...hang },
      { on: 'draft', effect: 'hang-after', rate: 0.02, ...hang },
      { on: 'draft', effect: 'not-ready', rate: 0.02 },
      { on: 'draft', effect: 'expired-token', rate: 0.01 },
      { on: 'draft', effect: 'pays-at-once', rate: 0.02, times: 1 },
      { on: 'confirm', effect: 'hang-before', rate: 0.03, ...hang },
      { on: 'confirm', effect: 'hang-after', rate: 0.03, ...hang },
      { on: 'confirm', effect: 'hang-after', rate: 0.01, hang_ms: 12_000 },
      { on: 'confirm', effect: 'error-after', rate: 0.02 },
      { on: 'confirm', effect: 'garbage-after', rate: 0.02 },
      { on: 'confirm', effect: 'unknown', rate: 0.02, after_ms: 3_000 },
      { on: 'confirm', effect: 'progress', rate: 0.02, after_ms: 2_000 },
      { on: 'confirm', effect: 'fails', rate: 0.02 },
      { on: 'confirm', effect: 'revert', rate: 0.01, after_ms: 1_000 },
      { on: 'read', effect: 'error-before', rate: 0.1 },
      { on: 'history', effect: 'hang-before', rate: 0.1, ...hang },
    ];
    await this.#control('settings', { answer_ms: ANSWER_MS, seed: this.#run.seed });
    await this.#control('faults', faults);
    this.#run.tell(`the rail at ${railUrl} goes wrong`);
  }

  async #control(what: string, body: object): Promise<void> {
    const answer = await fetch(`${this.#at.railUrl}/control/${what}`, {
      method: 'PUT',
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`the rail refused ${what}: ${await answer.text()}`);
  }

  async #faultsThatStruck(): Promise<Tally> {
    const answer = await fetch(`${this.#at.railUrl}/control`);
    const { faults } = (await answer.json()) as { faults: { on: string; effect: string; hits: number }[] };
    const tally = new Tally();
    for (const { on, effect, hits } of faults) tally.add(`${on} ${effect}`, hits);
    return tally;
  }

  /** Each once, in an order of the seed's, and as much again of those that strike a worker. */
  async #strikeAll(hands: Hands): Promise<void> {
    const { servers, workers, reconciler } = this.#at;
    const worker = () =>
      this.#dice.pick([workers[0], workers[1]] as [(typeof workers)[0], (typeof workers)[0]]);
    const deaths = deathPlaces.flatMap((place) =>
      (['POST', 'PUT'] as const).map(
        (method) =>
          [
            `armed: ${method} ${place}`,
            () => {
              const { proxy, member } = worker();
              const kill = () => {
                this.#strikes.add(`killed: ${method} ${place}`);
                member.kill();
              };
              proxy.arm({ place, method, kill });
            },
          ] as const,
      ),
    );
    const freezes = FREEZES_MS.map(
      (ms) => [`frozen for ${ms} ms`, () => void this.#freeze(worker().member, ms)] as const,
    );
    const all: readonly (readonly [string, () => unknown])[] = [
      ...deaths,
      ...freezes,
      ['killed: at any time', () => worker().member.kill()],
      ['reconciler killed', () => reconciler.kill()],
      ['postgres restarted', () => servers.restartPostgres('fast')],
      ['postgres ended at once', () => servers.restartPostgres('immediate')],
      ['redis wiped', () => servers.flushRedis()],
      ['redis killed', () => servers.killRedis()],
      ['rail stopped', () => this.#stop(hands)],
    ];
    for (const [name, strike] of this.#dice.shuffled(all)) {
      if (await this.#isAtRest()) return;
      if (!name.startsWith('armed')) this.#strikes.add(name);
      await strike();
      await sleep(this.#dice.whole(STRIKES_EVERY_MS / 2, STRIKES_EVERY_MS));
    }
  }

  async #freeze(member: PayInstallation['reconciler'], ms: number): Promise<void> {
    member.freeze();
    await sleep(ms);
    member.thaw();
  }

  async #stop({ maker, other }: Hands): Promise<void> {
    const { owner } = this.#at;
    await owner.query(`select rail_stop('multicard', $1, 'chaos')`, [maker]);
    const stop = { answeredMs: Date.now(), openedMs: Number.POSITIVE_INFINITY };
    this.#stops.push(stop);
    await sleep(STOPPED_MS);
    await this.#open({ maker, other });
  }

  /** What stopped, by people or by itself. */
  async #open({ maker, other }: Hands): Promise<void> {
    const { owner } = this.#at;
    for (const stop of this.#stops) stop.openedMs = Math.min(stop.openedMs, Date.now());
    const { rows } = await owner.query<{ id: string; reason: string }>(
      'select id, reason from rail where stopped_at is not null',
    );
    for (const { id, reason } of rows) {
      this.#strikes.add(`opened after ${reason}`);
      await owner.query(`select rail_open_ask($1, $2, 'mended')`, [id, maker]);
      const proof = await openingProof(owner, other, id);
      await owner.query('select rail_open_agree($1, $2, $3)', [id, other, proof]);
    }
  }

  /** What nobody could learn in time: two people look into the rail's own book. */
  async #settleStuck({ maker, other }: Hands): Promise<void> {
    const { owner, railLog } = this.#at;
    const { rows } = await owner.query<{ id: string }>(
      `select id from payout_dispatch where state = 'stuck'`,
    );
    for (const { id } of rows) {
      const isPaid = await hasLine(railLog, ['"t":"paid"', `"reference":"${id}-`]);
      const outcome = isPaid ? 'paid' : 'failed';
      this.#strikes.add(`settled by two as ${outcome}`);
      await owner.query(`select dispatch_settle_ask($1, $2, $3, 'by its book')`, [id, maker, outcome]);
      const proof = await settlingProof(owner, other, id);
      await owner.query('select dispatch_settle_agree($1, $2, $3, $4)', [id, other, outcome, proof]);
    }
  }

  async #ended(): Promise<{ readonly ended: number; readonly open: number }> {
    try {
      const { rows } = await this.#at.owner.query<{ ended: number; open: number }>(
        `select count(*) filter (where i.state not in ('ready', 'dispatched'))::int ended,
           (count(*) filter (where i.state in ('ready', 'dispatched')) + (select count(*) from payout_batch where state <> 'done'))::int open
         from payout_item i`,
      );
      return rows[0] ?? { ended: 0, open: 1 };
    } catch {
      // It is being restarted.
      return { ended: 0, open: 1 };
    }
  }

  async #isAtRest(): Promise<boolean> {
    return (await this.#ended()).open === 0;
  }

  async #untilRest(hands: Hands): Promise<void> {
    const { owner, servers } = this.#at;
    const untilMs = Date.now() + REST_MS_MAX;
    let [last, sinceMs, byMs] = [-1, Date.now(), FORWARD_MS];
    for (;;) {
      const { ended, open } = await this.#ended();
      if (open === 0) return;
      if (Date.now() > untilMs) {
        this.#problems.push(`${open} payments or batches have no end after ${REST_MS_MAX} ms`);
        return;
      }
      if (ended !== last) [last, sinceMs, byMs] = [ended, Date.now(), FORWARD_MS];
      if (Date.now() - sinceMs > QUIET_MS) {
        await this.#open(hands);
        await this.#settleStuck(hands);
        this.#aheadMs += byMs;
        await moveClock(owner, this.#aheadMs);
        await sleep(2 * LOOK_MS);
        // Their queue entries sleep by the time that was; the reconciler makes them anew.
        await servers.flushRedis();
        [sinceMs, byMs] = [Date.now(), Math.min(byMs * FORWARD_FACTOR, FORWARD_MS_MAX)];
      }
      await sleep(LOOK_MS);
    }
  }

  /** Every job is woken once more: nothing may be sent. */
  async #again(): Promise<void> {
    const { owner, servers, railLog } = this.#at;
    const before = await callsIn(railLog);
    await owner.query(`update job set state = 'queued', finished_at = null where kind = 'payout'`);
    await servers.flushRedis();
    const untilMs = Date.now() + REST_MS_MAX;
    for (;;) {
      const { rows } = await owner.query(
        `select from job where kind = 'payout' and finished_at is null limit 1`,
      );
      if (rows.length === 0) break;
      if (Date.now() > untilMs) {
        this.#problems.push('a second run does not end');
        break;
      }
      await sleep(LOOK_MS);
    }
    const more = (await callsIn(railLog)) - before;
    if (more > 0) this.#problems.push(`a second run called the rail ${more} times`);
  }
}

async function hasLine(railLog: string, parts: readonly string[]): Promise<boolean> {
  for await (const line of createInterface({ input: createReadStream(railLog, 'utf8') }))
    if (parts.every((part) => line.includes(part))) return true;
  return false;
}

async function callsIn(railLog: string): Promise<number> {
  let calls = 0;
  for await (const line of createInterface({ input: createReadStream(railLog, 'utf8') }))
    if (line.includes('"t":"begin"') && line.includes('"/payment/credit')) calls += 1;
  return calls;
}
