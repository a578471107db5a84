import { describe, expect, test } from 'vitest';
import {
  blockOf,
  decayed,
  IP_SAMPLE_MIN,
  type RiskScores,
  type Score,
} from '../../../domain/verify/fraud.ts';

/** Hours of traffic by the rules alone, booked as the worker books and the check confirms. Times are in seconds. */

const start = new Date('2026-01-15T06:00:00Z');
const at = (seconds: number) => new Date(start.getTime() + seconds * 1_000);
const HOUR = 3_600;

/** mulberry32: the same traffic in each run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Crowd {
  readonly name: string;
  readonly perSecond: number;
  /** 0 to 1: of those who were sent a code. */
  readonly confirms: number;
  readonly ip: (n: number) => string;
  readonly device: (n: number) => string | null;
  readonly trusted?: boolean;
  readonly from?: number;
}
interface Arrival {
  readonly at: number;
  readonly crowd: Crowd;
  readonly n: number;
}

/** A message takes some seconds, and a person some more: 8 s at least, 28 s on average. */
const typedAfter = (random: () => number) => 8 - 20 * Math.log(1 - random());
/** Numbers of a country: 27 operators' prefixes of a thousand blocks each. */
const PREFIXES = 27_000;

function arrivalsOf(crowd: Crowd, untilS: number, random: () => number): Arrival[] {
  const arrivals: Arrival[] = [];
  let time = crowd.from ?? 0;
  for (let n = 0; ; n++) {
    time -= Math.log(1 - random()) / crowd.perSecond;
    if (time >= untilS) return arrivals;
    arrivals.push({ at: time, crowd, n });
  }
}

interface Outcome {
  sent: number;
  refused: number;
  lastRefusedAt: number;
}

/** Everybody asks once, with a number of their own. */
function traffic(seed: number, untilS: number, ...crowds: readonly Crowd[]): Record<string, Outcome> {
  const random = randomFrom(seed);
  const arrivals = crowds
    .flatMap((crowd) => arrivalsOf(crowd, untilS, random))
    .toSorted((one, other) => one.at - other.at);
  const outcomes = Object.fromEntries(
    crowds.map(({ name }): [string, Outcome] => [name, { sent: 0, refused: 0, lastRefusedAt: -1 }]),
  );
  const scores = new Map<string, Score>();
  const confirmations: { at: number; names: string[] }[] = [];
  const add = (name: string, time: number, more: { sent: number; verified: number }) => {
    const { sent, verified } = decayed(scores.get(name) ?? { sent: 0, verified: 0, at: at(time) }, at(time));
    scores.set(name, { sent: sent + more.sent, verified: verified + more.verified, at: at(time) });
  };
  for (const { at: time, crowd, n } of arrivals) {
    const { name, ip, device, confirms, trusted = false } = crowd;
    // Few are open at any time, and their order among themselves changes nothing.
    for (let index = confirmations.length - 1; index >= 0; index--) {
      const due = confirmations[index];
      if (!due || due.at > time) continue;
      for (const one of due.names) add(one, due.at, { sent: 0, verified: 1 });
      confirmations.splice(index, 1);
    }
    const names = [`prefix ${Math.floor(random() * PREFIXES)}`, `ip ${ip(n)}`, `device ${device(n)}`];
    const [prefix = null, byIp = null, byDevice = null] = names.map((one) => scores.get(one) ?? null);
    const risk: RiskScores = { prefix, ip: byIp, device: device(n) === null ? null : byDevice };
    const outcome = outcomes[name];
    if (!outcome) throw new Error(name);
    if (blockOf(risk, trusted, at(time))) {
      outcome.refused++;
      outcome.lastRefusedAt = time;
      continue;
    }
    outcome.sent++;
    for (const one of names) add(one, time, { sent: 1, verified: 0 });
    if (random() < confirms) confirmations.push({ at: time + typedAfter(random), names });
  }
  return outcomes;
}

const honest: Crowd = {
  name: 'honest',
  perSecond: 0.5,
  confirms: 0.7,
  ip: () => 'gateway',
  device: (n) => `phone ${n}`,
};
const pump: Crowd = {
  name: 'pump',
  perSecond: 5,
  confirms: 0,
  ip: () => 'pump',
  device: (n) => `forged ${n}`,
};

describe('a carrier’s gateway: one address, many people', () => {
  for (const perSecond of [0.01, 0.1, 0.5, 1])
    for (const confirms of [0.4, 0.7])
      test(`is never blocked at ${perSecond} codes a second of which ${100 * confirms} % are confirmed`, () => {
        for (let seed = 1; seed <= 5; seed++)
          expect(traffic(seed, HOUR, { ...honest, perSecond, confirms })['honest']?.refused).toBe(0);
      });

  for (const perSecond of [2, 5, 10])
    test(`that begins all of a sudden with ${perSecond} a second is refused in its first half minute alone, until a tenth have typed theirs`, () => {
      for (let seed = 1; seed <= 3; seed++) {
        const { refused, sent, lastRefusedAt } = traffic(seed, HOUR / 3, { ...honest, perSecond })[
          'honest'
        ] as Outcome;
        expect(lastRefusedAt).toBeLessThan(30);
        expect(refused / (refused + sent)).toBeLessThan(0.02);
      }
    });

  test('stays open while somebody behind it pumps five times as much', () => {
    for (let seed = 1; seed <= 3; seed++) {
      const behind = { ...pump, ip: honest.ip, perSecond: 5 * honest.perSecond, from: 600 };
      expect(traffic(seed, HOUR, honest, behind)['honest']?.refused).toBe(0);
    }
  });

  test('that is pumped fifty times as much still serves those for whom the service vouches', () => {
    for (let seed = 1; seed <= 2; seed++) {
      const behind = { ...pump, ip: honest.ip, perSecond: 50 * honest.perSecond, from: 600 };
      const known = { ...honest, name: 'known', trusted: true, perSecond: 0.1 };
      const outcomes = traffic(seed, HOUR, honest, behind, known);
      expect(outcomes['known']?.refused).toBe(0);
      const { sent, refused } = outcomes['pump'] as Outcome;
      expect(sent / (sent + refused)).toBeLessThan(0.15);
    }
  });
});

describe('a pump', () => {
  test('from one address over all prefixes gets its sample, and then what decays of it', () => {
    for (let seed = 1; seed <= 3; seed++) {
      const { sent, refused } = traffic(seed, HOUR, pump)['pump'] as Outcome;
      // 50 at once, and ln 2 of them in an hour.
      expect(sent).toBeLessThanOrEqual(IP_SAMPLE_MIN * (1 + Math.LN2) + 2);
      expect(refused).toBeGreaterThan(16_000);
    }
  });

  test('from one address and one device gets half as much', () => {
    const { sent } = traffic(1, HOUR, { ...pump, device: () => 'one' })['pump'] as Outcome;
    expect(sent).toBeLessThanOrEqual((IP_SAMPLE_MIN / 2) * (1 + Math.LN2) + 2);
  });
});

test('a service that sends one device id for everybody serves its users while it is pumped a hundred times as much', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const users = { ...honest, perSecond: 0.02, ip: (n: number) => `home ${n}`, device: () => 'constant' };
    // From addresses of a botnet, so that neither they nor the prefixes are enough.
    const bots = { ...pump, perSecond: 2, ip: (n: number) => `bot ${n % 500}`, device: () => 'constant' };
    const outcomes = traffic(seed, 2 * HOUR, users, { ...bots, from: 600 });
    expect(outcomes['honest']?.refused).toBe(0);
  }
});
