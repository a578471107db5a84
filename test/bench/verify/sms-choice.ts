import type { SmsProvider } from '../../../domain/verify/sms-provider.ts';
import {
  byMeasure,
  DAY,
  fixedOrder,
  oracle,
  type Policy,
  type Priced,
  type Scenario,
  simulate,
} from '../../domain/verify/sms-simulation.ts';
import { type Figure, figure } from '../support/figures.ts';
import type { Options } from '../support/options.ts';

const route = [
  { provider: 'eskiz', priceMicros: 9_000 },
  { provider: 'play-mobile', priceMicros: 10_200 },
  { provider: 'twilio', priceMicros: 300_000 },
] as const;
const HEALTHY = 0.01;
const LOSSY = 0.3;
const HOUR = DAY / 24;
const pumped = (time: number) => (Math.floor(time * 24) % 4 === 3 ? 3 : 0);
const losing = (provider: SmsProvider) => (provider === 'eskiz' ? LOSSY : HEALTHY);
const base = { persons: 20_000, operators: 1, spanMs: DAY, route, lossOf: losing, lies: true } as const;

const scenarios: readonly Scenario[] = [
  { ...base, name: 'the first loses all day, no report', operators: 20, lies: false },
  { ...base, name: 'the first loses all day, false reports', operators: 20 },
  { ...base, name: 'calm day, one operator, false reports' },
  { ...base, name: 'pumped hour, one operator, false reports', spanMs: HOUR, pumped },
  { ...base, name: 'pumped hour, all healthy', spanMs: HOUR, pumped, lossOf: () => HEALTHY },
];

/** A seed a round: what each rule verifies, and what it costs of an oracle that knows the losses (decision 0021). */
export function smsChoice({ rounds }: Options): Promise<Figure[]> {
  const policies: Record<string, (seed: number) => Policy> = {
    'fixed order': () => fixedOrder(route),
    trials: () => byMeasure(route),
    epsilon: (seed) => counting(route, epsilon, seed),
    thompson: (seed) => counting(route, thompson, seed),
    ucb: (seed) => counting(route, ucb, seed),
  };
  const seeds = Array.from({ length: rounds }, (_, round) => round + 1);
  const figures = scenarios.flatMap((scenario) => {
    const best = seeds.map((seed) => simulate(scenario, oracle(scenario), seed));
    return Object.entries(policies).flatMap(([name, policyOf]) => {
      const ours = seeds.map((seed) => simulate(scenario, policyOf(seed), seed));
      const metric = (what: string) => `${scenario.name}: ${name}, ${what}`;
      const micros = [ours, best].map((outcomes) => outcomes.map((one) => one.micros));
      return [
        figure(
          'sms-choice',
          metric('% verified'),
          ours.map((one) => one.verifiedShare * 100),
        ),
        figure(
          'sms-choice',
          metric('asked again'),
          ours.map((one) => one.resends),
        ),
        figure('sms-choice', metric('micro-USD, against the oracle'), micros[0] ?? [], micros[1]),
      ];
    });
  });
  return Promise.resolve(figures);
}

interface Counted extends Priced {
  readonly sent: number;
  readonly arrived: number;
}
/** The cheap ones in the order of an alternative rule. */
type Rule = (counted: readonly Counted[], draw: number, random: () => number) => readonly Priced[];

const KEPT_MAX = 80;
const HALF_LIFE_MS = 6 * HOUR;
const CHEAP_RATIO_MAX = 2;

/** An alternative: it counts all first messages. */
function counting(listed: readonly Priced[], rule: Rule, seed: number): Policy {
  const cheapest = Math.min(...listed.map(({ priceMicros }) => priceMicros));
  const cheap = listed.filter(({ priceMicros }) => priceMicros <= cheapest * CHEAP_RATIO_MAX);
  const counts = new Map<SmsProvider, { sent: number; arrived: number; atMs: number }>();
  const random = steps(seed);
  const countOf = (provider: SmsProvider, nowMs: number) => {
    const { sent, arrived, atMs } = counts.get(provider) ?? { sent: 0, arrived: 0, atMs: nowMs };
    const factor = 0.5 ** ((nowMs - atMs) / HALF_LIFE_MS);
    return { sent: sent * factor, arrived: arrived * factor };
  };
  return {
    order: ({ usedBefore, draw, nowMs }) => {
      const counted = cheap.map((one) => ({ ...one, ...countOf(one.provider, nowMs) }));
      const first = usedBefore.size === 0 ? draw : 1;
      const all = [...rule(counted, first, random), ...listed.filter((one) => !cheap.includes(one))];
      const order = all.map(({ provider }) => ({ provider, chosen: 'measured' as const }));
      return [
        ...order.filter(({ provider }) => !usedBefore.has(provider)),
        ...order.filter(({ provider }) => usedBefore.has(provider)),
      ];
    },
    learn: ({ provider, arrived }, nowMs) => {
      const before = countOf(provider, nowMs);
      const kept = Math.min(1, KEPT_MAX / (before.sent + 1));
      const after = before.arrived + (arrived ? 1 : 0);
      counts.set(provider, { sent: (before.sent + 1) * kept, arrived: after * kept, atMs: nowMs });
    },
  };
}

/** 5 % to each; else the cheapest by its share, as the product's own rule. */
const epsilon: Rule = (counted, draw) => {
  const best = Math.max(...counted.map(({ sent, arrived }) => arrived / sent));
  const costOf = ({ priceMicros, sent, arrived }: Counted) => {
    const share = arrived / sent / best;
    return priceMicros / (share >= 0.9 ? 1 : share);
  };
  const usual = counted.some(({ sent }) => sent < 20)
    ? counted
    : counted.toSorted((a, b) => costOf(a) - costOf(b));
  const onTrial = counted[Math.floor(draw / 0.05)]?.provider;
  return [
    ...usual.filter(({ provider }) => provider === onTrial),
    ...usual.filter(({ provider }) => provider !== onTrial),
  ];
};

const estimateOf = ({ sent, arrived }: Counted) => {
  const mean = (arrived + 1) / (sent + 2);
  return { mean, deviation: Math.sqrt((mean * (1 - mean)) / (sent + 3)) };
};
const byShare = (counted: readonly Counted[], shareOf: (one: Counted) => number) =>
  counted
    .map((one) => ({ ...one, cost: one.priceMicros / Math.min(1, Math.max(0.01, shareOf(one))) }))
    .toSorted((a, b) => a.cost - b.cost);

/** A share drawn from what is likely of each. */
const thompson: Rule = (counted, _draw, random) =>
  byShare(counted, (one) => {
    const { mean, deviation } = estimateOf(one);
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return mean + deviation * normal;
  });

/** The best share that is likely of each. */
const ucb: Rule = (counted) => {
  const total = counted.reduce((sum, { sent }) => sum + sent, 0);
  return byShare(counted, (one) => {
    const { mean, deviation } = estimateOf(one);
    return mean + deviation * Math.sqrt(2 * Math.log(Math.max(2, total)));
  });
};

/** Reproducible numbers from 0 to 1: enough for draws. */
function steps(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
