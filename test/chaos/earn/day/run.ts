import { randomUUID } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GatewayLie, TrafficGateway } from '../../../../apps/sandbox/earn/traffic/gateway.ts';
import { moveClock } from '../../../../infra/postgres/engine/clock.ts';
import { dice, type Dice } from '../../support/dice.ts';
import { audit, type Verdict } from './audit.ts';
import { type EarnInstallation, installEarning } from './installation.ts';
import { isPaidWhole, manners } from './manners.ts';
import { makeEarners, makeGatewayKey, makeProject, setPrices } from './people.ts';
import { DayPhone } from './phones.ts';
import { reckon } from './reckon.ts';

export interface DayRun {
  readonly seed: number;
  readonly phones: number;
  /** Of the day: in each the phones share once. */
  readonly steps: number;
  /** Reports of each phone and step. */
  readonly reports: number;
  readonly directory: string;
  readonly tell: (line: string) => void;
}

export interface DayReport extends Verdict {
  readonly seed: number;
  readonly phones: number;
  readonly reportsTaken: number;
  readonly strikes: readonly string[];
  readonly seconds: number;
}

const [MINUTE_MS, HOUR_MS, DAY_MS] = [60_000, 3_600_000, 86_400_000];
/** From noon in Tashkent to an hour before the next: a session lasts a day. */
const SHARED_MS = 23 * HOUR_MS;
const PRICES = [101, 131] as const;
const REST_MS_MAX = 180_000;
const LOOK_MS = 250;
const TASHKENT_MS = 5 * HOUR_MS;

const dayAt = (ms: number): string => new Date(ms + TASHKENT_MS).toISOString().slice(0, 10);

export async function runDay(run: DayRun): Promise<DayReport> {
  const project = randomUUID();
  const installation = await installEarning(run.directory, project);
  const stage = new DayStage(run, installation, project);
  try {
    return await stage.play();
  } finally {
    await installation.close();
  }
}

class DayStage {
  readonly #run: DayRun;
  readonly #at: EarnInstallation;
  readonly #project: string;
  readonly #dice: Dice;
  readonly #logs: Readonly<Record<'phones' | 'gateways', WriteStream>>;
  readonly #strikes: string[] = [];
  #aheadMs = 0;

  constructor(run: DayRun, at: EarnInstallation, project: string) {
    this.#run = run;
    this.#at = at;
    this.#project = project;
    this.#dice = dice(run.seed);
    const log = (name: string) => createWriteStream(join(run.directory, `${name}.jsonl`));
    this.#logs = { phones: log('phones'), gateways: log('gateways') };
  }

  async play(): Promise<DayReport> {
    const beganMs = Date.now();
    const { owner, env } = this.#at;
    const staged = { owner, env, project: this.#project };
    await makeProject(owner, this.#project);
    const noonMs = Date.parse(`${dayAt(Date.now() + DAY_MS)}T12:00:00Z`) - TASHKENT_MS;
    await this.#moveTo(noonMs);
    const [first, second] = [dayAt(noonMs), dayAt(noonMs + DAY_MS)];
    const prices = { [first]: PRICES[0], [second]: PRICES[1] };
    await setPrices(staged, prices);
    await this.#at.start();
    const gateways = await this.#makeGateways(() => makeGatewayKey(staged));
    const earners = await makeEarners(staged, this.#run.phones);
    const phones = earners.map((earner, index) => {
      const manner = manners[index % manners.length] ?? manners[0]!;
      const gateway = manner.gateway === 'none' ? null : (gateways.get(manner.gateway) ?? null);
      return new DayPhone({
        earner,
        manner,
        reports: this.#run.reports,
        gateway,
        urls: this.#at.apiUrls,
        now: this.#now,
        dice: dice(this.#run.seed + index),
        log: (line) => this.#logs.phones.write(`${JSON.stringify(line)}\n`),
      });
    });
    this.#run.tell(`${phones.length} phones, ready after ${Date.now() - beganMs} ms`);
    await Promise.all(phones.map((phone) => phone.start()));
    await this.#share(phones, [...gateways.values()]);
    await this.#close(second);
    const isClosed = await this.#booked();
    await Promise.all(phones.map((phone) => phone.shareLate()));
    for (const gateway of gateways.values()) await gateway.tellLate();
    await this.#rest();
    await this.#closed();
    for (const log of Object.values(this.#logs)) await new Promise((done) => log.end(done));
    const people = Object.fromEntries(
      phones.map(({ phone, earner }) => [phone.installation, earner.personId]),
    );
    const reckoned = await reckon(this.#run.directory, { people, prices });
    const verdict = await audit(owner, reckoned);
    const problems = [
      ...verdict.problems,
      ...this.#at.members.flatMap(({ crashes }) => crashes),
      ...truthProblems(phones, reckoned, PRICES),
      ...((await this.#booked()) === isClosed ? [] : ['what came late has changed the book']),
    ];
    const { rows } = await owner.query<{ n: number }>('select count(*)::int as n from session_report');
    return {
      seed: this.#run.seed,
      phones: phones.length,
      reportsTaken: rows[0]?.n ?? 0,
      strikes: this.#strikes,
      ...verdict,
      problems,
      seconds: Math.round((Date.now() - beganMs) / 1_000),
    };
  }

  #now = (): Date => new Date(Date.now() + this.#aheadMs);

  async #moveTo(ms: number): Promise<void> {
    const aheadMs = ms - Date.now();
    await this.#surely(() => moveClock(this.#at.owner, Math.round(aheadMs)));
    this.#aheadMs = Math.round(aheadMs);
  }

  /** Postgres may be on its way back. */
  async #surely<T>(work: () => Promise<T>): Promise<T> {
    const untilMs = Date.now() + REST_MS_MAX;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (Date.now() > untilMs) throw error;
        await sleep(LOOK_MS);
      }
    }
  }

  async #makeGateways(key: () => Promise<string>): Promise<Map<string, TrafficGateway>> {
    const names = new Set(manners.map(({ gateway }) => gateway).filter((name) => name !== 'none'));
    const made = new Map<string, TrafficGateway>();
    for (const name of names)
      made.set(
        name,
        new TrafficGateway({
          name,
          api: { urls: this.#at.apiUrls, token: await key(), patienceMs: 90_000 },
          now: this.#now,
          lie: name === 'true' ? null : (name satisfies GatewayLie),
          log: (line) => this.#logs.gateways.write(`${JSON.stringify(line)}\n`),
        }),
      );
    return made;
  }

  async #share(phones: readonly DayPhone[], gateways: readonly TrafficGateway[]): Promise<void> {
    const { steps, reports, tell } = this.#run;
    const [beganMs, stepMs] = [this.#now().getTime(), SHARED_MS / steps];
    const strikes = this.#plan(steps);
    for (let step = 0; step < steps; step += 1) {
      await this.#moveTo(Math.max(beganMs + (step + 1) * stepMs, this.#now().getTime()));
      const nowMs = this.#now().getTime();
      const gapMs = stepMs / reports;
      const times = Array.from({ length: reports }, (_, n) => new Date(nowMs - (reports - 1 - n) * gapMs));
      for (const phone of phones) phone.count(times);
      const isLast = step === steps - 1;
      const strike = strikes.get(step);
      await Promise.all([
        ...phones.map((phone, index) =>
          phone.share(step, isLast, phones[(index + 1) % phones.length] ?? phone),
        ),
        ...gateways.map((gateway) => gateway.tell()),
        strike?.(),
      ]);
      if (step % 10 === 9) tell(`${step + 1} of ${steps} steps`);
    }
    // The others end by themselves.
    await Promise.all(phones.filter((_, index) => index % 2 === 0).map(({ phone }) => phone.stop()));
  }

  /** What strikes at which step, in an order of the seed's. */
  #plan(steps: number): ReadonlyMap<number, () => Promise<unknown>> {
    const { servers, apis, workers, reconciler } = this.#at;
    const soon = () => sleep(this.#dice.whole(0, 120));
    const all: [string, () => unknown][] = [
      ['an api is killed', () => this.#dice.pick([apis[0]!, apis[1]!]).kill()],
      ['an api is killed again', () => this.#dice.pick([apis[0]!, apis[1]!]).kill()],
      ['a worker is killed', () => this.#dice.pick([workers[0]!, workers[1]!]).kill()],
      ['both workers are killed', () => workers.forEach((worker) => worker.kill())],
      ['the reconciler is killed', () => reconciler.kill()],
      ['postgres is restarted', () => servers.restartPostgres('fast')],
      ['postgres ends at once', () => servers.restartPostgres('immediate')],
      ['redis is wiped', () => servers.flushRedis()],
      ['redis is killed', () => servers.killRedis()],
    ];
    const every = Math.max(1, Math.floor(steps / (all.length + 1)));
    return new Map(
      this.#dice.shuffled(all).map(([name, strike], index) => [
        (index + 1) * every,
        async () => {
          await soon();
          this.#strikes.push(name);
          await strike();
        },
      ]),
    );
  }

  /** Past the close of this day, and of the one before. */
  async #close(day: string): Promise<void> {
    await this.#rest();
    await this.#moveTo(Date.parse(`${day}T00:00:00Z`) - TASHKENT_MS + 3 * DAY_MS + 6 * MINUTE_MS);
    await this.#closed();
    await this.#until(
      'all sessions have ended',
      `select from traffic_session where ended_at is null limit 1`,
    );
  }

  /** The reconciler looks once a minute; one that has begun anew looks first thing. */
  async #closed(): Promise<void> {
    this.#at.reconciler.kill();
    await this.#until('all days are closed', `select from session_day where closed_at is null limit 1`);
  }

  /** Until nothing waits to be metered. */
  #rest(): Promise<void> {
    return this.#until(
      'all is metered',
      `select from traffic_session where job_id is not null
       union all select from job where kind = 'traffic-report' and finished_at is null limit 1`,
    );
  }

  async #until(what: string, sql: string): Promise<void> {
    const untilMs = Date.now() + REST_MS_MAX;
    for (;;) {
      const { rows } = await this.#surely(() => this.#at.owner.query(sql));
      if (rows.length === 0) return;
      if (Date.now() > untilMs) throw new Error(`within ${REST_MS_MAX} ms it did not come to: ${what}`);
      await sleep(LOOK_MS);
    }
  }

  async #booked(): Promise<string> {
    const { rows } = await this.#surely(() =>
      this.#at.owner.query<{ sum: string }>(
        `select count(*) || ' ' || coalesce(sum(amount), 0) as sum from ledger_transfer`,
      ),
    );
    return rows[0]?.sum ?? '';
  }
}

/** Whatever was said: nobody is paid for more than went through, and who says the truth for no less. */
function truthProblems(
  phones: readonly DayPhone[],
  reckoned: Awaited<ReturnType<typeof reckon>>,
  [low, high]: readonly [number, number],
): string[] {
  return phones.flatMap(({ earner, manner, carried }) => {
    const paid = [...reckoned]
      .filter(([key]) => key.startsWith(earner.personId))
      .reduce((sum, [, micros]) => sum + micros, 0n);
    const most = (carried * BigInt(high)) / 100n;
    const least = isPaidWhole(manner) ? (carried * BigInt(low)) / 100n - 2n : 0n;
    if (paid <= most && paid >= least) return [];
    return [
      `${manner.phone}, gateway ${manner.gateway}: ${carried} bytes went through, and ${paid} was paid`,
    ];
  });
}
