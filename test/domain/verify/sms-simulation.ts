import type { JobId, ProjectId } from '../../../domain/shared/ids.ts';
import {
  asTold,
  countsOf,
  drawOf,
  type OperatorScore,
  orderRoute,
  TRIAL_MATURE_MS,
  withTrials,
} from '../../../domain/verify/sms-choice.ts';
import type { SmsChoice, SmsProvider } from '../../../domain/verify/sms-provider.ts';
import { decideStep, type PastAttempt } from '../../../domain/verify/step.ts';
import type { Verification } from '../../../domain/verify/verification.ts';

/*
 * A day of codes in virtual time: people ask, read, type and ask again; providers lose messages as a scenario says. The rules that
 * choose a provider and move on from it are the real ones.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 15);
const LIFE = 300 * SECOND;
/** As the gaps of `domain/verify/resend.ts`, and five sends an hour. */
const RESEND_GAPS = [30, 60, 120, 120].map((seconds) => seconds * SECOND);
/** As trials are counted. */
const MATURE = TRIAL_MATURE_MS;
const TICK = 10 * SECOND;

/** A provider as a route lists it. */
export interface Priced {
  readonly provider: SmsProvider;
  readonly priceMicros: number;
}

export interface Scenario {
  readonly name: string;
  readonly persons: number;
  /** In which they ask, at an even pace. */
  readonly spanMs: number;
  readonly route: readonly Priced[];
  /** Each person's number is of one of them: providers are measured by operator. */
  readonly operators: number;
  /** What share of its messages a provider loses, by the time (0 to 1 of the span). */
  readonly lossOf: (provider: SmsProvider, time: number) => number;
  /** What is lost is reported as delivered; else nothing is said of it. */
  readonly lies: boolean;
  /** Who send, as much each; one if not said. */
  readonly projects?: number;
  /** The first project types the codes of its trials as this says; its sends are in no figure. */
  readonly liar?: (provider: SmsProvider) => boolean;
  /** Pumped numbers for each person, by the time: nobody types their codes. */
  readonly pumped?: (time: number) => number;
}

export interface First {
  readonly project: ProjectId;
  readonly operator: string;
  readonly provider: SmsProvider;
  readonly chosen: SmsChoice;
  readonly arrived: boolean;
}
export interface Policy {
  readonly order: (ask: {
    readonly project: ProjectId;
    readonly operator: string;
    readonly usedBefore: ReadonlySet<SmsProvider>;
    readonly draw: number;
    readonly nowMs: number;
  }) => readonly { readonly provider: SmsProvider; readonly chosen: SmsChoice }[];
  /** What became of the first SMS of a verification, as it is known two minutes later. */
  readonly learn?: (first: First, nowMs: number) => void;
}

const LIAR = 'project 0' as ProjectId;

/** The product's own rule. */
export function byMeasure(route: readonly Priced[], liar?: Scenario['liar']): Policy {
  const projects = new Map<ProjectId, Map<string, OperatorScore>>();
  const countsFor = (project: ProjectId, operator: string, now: Date) =>
    countsOf([...(projects.get(project)?.values() ?? [])], operator, now);
  return {
    order: ({ project, operator, usedBefore, draw, nowMs }) => {
      const now = new Date(nowMs);
      const others = [...projects.keys()]
        .filter((id) => id !== project)
        .map((id) => asTold(countsFor(id, operator, now), now));
      const scores = { own: countsFor(project, operator, now), others };
      return orderRoute({ route, scores, usedBefore, measures: true, draw, now });
    },
    learn: ({ project, operator, provider, chosen, arrived }, nowMs) => {
      if (chosen !== 'trial') return;
      const key = `${operator} ${provider}`;
      const isTyped = liar && project === LIAR ? liar(provider) : arrived;
      const rows = projects.get(project) ?? new Map<string, OperatorScore>();
      projects.set(project, rows);
      const trial = { sent: 1, arrived: isTyped ? 1 : 0 };
      const score = withTrials(rows.get(key), trial, new Date(nowMs));
      rows.set(key, { projectId: project, operator, provider, ...score });
    },
  };
}

/** Before this rule: the listed order, for each send anew. */
export const fixedOrder = (route: readonly Priced[]): Policy => ({
  order: () => route.map(({ provider }) => ({ provider, chosen: 'listed' })),
});

/** Knows what share each one loses at the moment, and begins where the message and what follows it cost least. */
export function oracle({ route, lossOf, spanMs }: Scenario): Policy {
  return {
    order: ({ usedBefore, nowMs }) => {
      const time = (nowMs - START) / spanMs;
      const orders = permutations(route).map((order) => ({
        order,
        micros: order.reduceRight(
          (after, { provider, priceMicros }) => priceMicros + lossOf(provider, time) * after,
          0,
        ),
      }));
      const [best] = orders.toSorted((a, b) => a.micros - b.micros);
      const steps = (best?.order ?? []).map(({ provider }) => ({ provider, chosen: 'measured' as const }));
      return [
        ...steps.filter(({ provider }) => !usedBefore.has(provider)),
        ...steps.filter(({ provider }) => usedBefore.has(provider)),
      ];
    },
  };
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}

export interface Outcome {
  /** Persons who wanted in, and how many were verified within the code's life. */
  readonly persons: number;
  readonly verified: number;
  readonly verifiedShare: number;
  readonly micros: number;
  readonly messages: number;
  /** From the first request to the right code, in seconds. */
  readonly medianSeconds: number;
  readonly p95Seconds: number;
  /** Requests that people made again. */
  readonly resends: number;
  /** First messages of verifications, by provider and hour of the day. */
  readonly firsts: ReadonlyMap<SmsProvider, readonly number[]>;
}

/** Mulberry32: one seed, one day. */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Things that happen later, earliest first; of one moment, in the order in which they were planned. */
function agenda() {
  const heap: { readonly at: number; readonly nth: number; readonly run: () => void }[] = [];
  const before = (a: number, b: number) => {
    const [one, other] = [heap[a], heap[b]];
    if (!one || !other) return one !== undefined;
    return one.at === other.at ? one.nth < other.nth : one.at < other.at;
  };
  const swap = (a: number, b: number) => {
    const [one, other] = [heap[a], heap[b]];
    if (one && other) [heap[a], heap[b]] = [other, one];
  };
  let planned = 0;
  const clock = { nowMs: START };
  const plan = (at: number, run: () => void) => {
    let place = heap.push({ at: Math.max(at, clock.nowMs), nth: planned++, run }) - 1;
    for (let parent = (place - 1) >> 1; place > 0 && before(place, parent); parent = (place - 1) >> 1) {
      swap(place, parent);
      place = parent;
    }
  };
  const take = () => {
    swap(0, heap.length - 1);
    const first = heap.pop();
    for (let place = 0; ;) {
      const least = [2 * place + 1, 2 * place + 2].reduce((a, b) => (before(b, a) ? b : a), place);
      if (least === place) return first;
      swap(place, least);
      place = least;
    }
  };
  const runAll = () => {
    for (let next = take(); next; next = take()) {
      clock.nowMs = next.at;
      next.run();
    }
  };
  return { clock, plan, runAll };
}

/** What one person does, drawn before anything happens: the same for every policy. */
interface Person {
  readonly asksAt: number;
  readonly project: ProjectId;
  /** They go away, or their phone is off, or the number was pumped: nobody types this code. */
  readonly operator: string;
  readonly types: boolean;
  readonly typingMs: number;
  readonly patienceMs: number;
  readonly random: () => number;
}

/** One in twelve goes away, whatever arrives. */
const LEAVES = 0.08;
/** A phone that is off, among those who want in. */
const UNREACHABLE = 0.002;
/** The median person types after 12 s, one in twenty after 38 s and more. */
const TYPING = { medianMs: 12 * SECOND, sigma: 0.7 };
/** The median message arrives after 4 s, one in a hundred after 20 s and more. */
const ARRIVAL = { medianMs: 4 * SECOND, sigma: 0.7 };
const PATIENCE = { fromMs: 40 * SECOND, toMs: 100 * SECOND };
const ACCEPTED_AFTER = 300;
const REPORTED_AFTER = 1 * SECOND;
/** A report that was made up comes like any other. */
const LIE_AFTER = 5 * SECOND;

const lognormal = ({ medianMs, sigma }: { medianMs: number; sigma: number }, random: () => number) =>
  medianMs * Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));

/** Nothing but SMS, and no time-outs. */
const CALM = { unavailable: new Map(), pushUnconfirmedBuysSms: false, jitter: 0, isDue: true };

export function simulate(scenario: Scenario, policy: Policy, seed: number): Outcome {
  const { plan, runAll, clock } = agenda();
  const price = new Map(scenario.route.map(({ provider, priceMicros }) => [provider, priceMicros]));
  const tally = { persons: 0, messages: 0, micros: 0, resends: 0, seconds: [] as number[] };
  const firsts = new Map(
    scenario.route.map(({ provider }) => [provider, Array.from({ length: 24 }, () => 0)]),
  );
  const time = () => (clock.nowMs - START) / scenario.spanMs;

  const arrive = (person: Person, isReachable: boolean) => {
    const expiresAt = clock.nowMs + LIFE;
    const startedAt = clock.nowMs;
    const opened: { at: number; provider: SmsProvider }[] = [];
    let approvedAt: number | null = null;
    let typesAt = Number.POSITIVE_INFINITY;
    let sends = 0;
    const verification = {
      state: 'live',
      mode: 'live',
      channels: ['sms'],
      expiresAt: new Date(expiresAt),
    } as unknown as Verification;
    const isTold = !scenario.liar || person.project !== LIAR;
    const isOver = () => approvedAt !== null || clock.nowMs >= expiresAt;

    const read = () => {
      if (!person.types || typesAt !== Number.POSITIVE_INFINITY) return;
      typesAt = clock.nowMs + person.typingMs;
      plan(typesAt, () => {
        if (isOver()) return;
        approvedAt = clock.nowMs;
        if (isTold) tally.seconds.push((approvedAt - startedAt) / SECOND);
      });
    };
    const send = () => {
      sends++;
      const job = sends;
      const usedBefore = new Set(opened.map(({ provider }) => provider));
      const id = `00000000-0000-7000-8000-${Math.floor(person.random() * 2 ** 48)
        .toString(16)
        .padStart(12, '0')}` as JobId;
      const order = policy.order({
        project: person.project,
        operator: person.operator,
        usedBefore,
        draw: drawOf(id),
        nowMs: clock.nowMs,
      });
      const smsOrder = order.map(({ provider }) => provider);
      const past: { -readonly [K in keyof PastAttempt]: PastAttempt[K] }[] = [];
      const wake = () => {
        if (isOver() || job !== sends) return;
        const rules = { ...CALM, smsOrder };
        const step = decideStep(verification, past, rules, new Date(clock.nowMs));
        if (step.kind === 'wait') plan(step.until.getTime(), wake);
        if (step.kind !== 'send') return;
        const { leg } = step.send;
        open(leg as SmsProvider, past.length === 0 ? (order[0]?.chosen ?? 'listed') : 'failover', past, wake);
      };
      wake();
    };
    const open = (
      provider: SmsProvider,
      chosen: SmsChoice,
      past: { -readonly [K in keyof PastAttempt]: PastAttempt[K] }[],
      wake: () => void,
    ) => {
      const at = clock.nowMs;
      const isFirst = opened.length === 0;
      opened.push({ at, provider });
      if (isTold) {
        tally.messages++;
        tally.micros += price.get(provider) ?? 0;
      }
      const attempt = {
        n: past.length + 1,
        channel: 'sms' as const,
        provider,
        outcome: 'completed' as const,
        reason: null,
        openedAt: new Date(at),
        closedAt: new Date(at + ACCEPTED_AFTER),
        delivery: null as PastAttempt['delivery'],
      };
      past.push(attempt);
      const report = () => {
        attempt.delivery = 'delivered';
        wake();
      };
      const isLost = person.random() < scenario.lossOf(provider, time());
      const arrivesAt = at + lognormal(ARRIVAL, person.random);
      if (isReachable && !isLost) {
        plan(arrivesAt, read);
        plan(arrivesAt + REPORTED_AFTER, report);
      } else if (isReachable && scenario.lies) plan(at + LIE_AFTER, report);
      plan(at + ACCEPTED_AFTER, wake);
      if (!isFirst) return;
      const hours = firsts.get(provider);
      const hour = Math.min(23, Math.floor(time() * 24));
      if (hours && isTold) hours[hour] = (hours[hour] ?? 0) + 1;
      plan(Math.ceil((at + MATURE) / TICK) * TICK, () => {
        const nextAt = opened[1]?.at ?? Number.POSITIVE_INFINITY;
        const arrived = approvedAt !== null && approvedAt < nextAt && approvedAt <= at + MATURE;
        const { project, operator } = person;
        policy.learn?.({ project, operator, provider, chosen, arrived }, clock.nowMs);
      });
    };
    const askAgain = () => {
      if (isOver() || typesAt !== Number.POSITIVE_INFINITY || !person.types) return;
      if (isTold) tally.resends++;
      send();
      const gap = RESEND_GAPS[sends - 1];
      if (gap !== undefined) plan(clock.nowMs + Math.max(gap, person.patienceMs), askAgain);
    };
    send();
    plan(clock.nowMs + person.patienceMs, askAgain);
  };

  const random = dice(seed);
  for (let nth = 0; nth < scenario.persons; nth++) {
    const asksAt = START + (scenario.spanMs * (nth + random())) / scenario.persons;
    const operator = `+9989${nth % scenario.operators}`;
    const project = `project ${Math.floor(nth / scenario.operators) % (scenario.projects ?? 1)}` as ProjectId;
    const makePerson = (types: boolean): Person => {
      const own = dice(Math.floor(random() * 2 ** 32));
      return {
        asksAt,
        project,
        operator,
        types,
        typingMs: lognormal(TYPING, own),
        patienceMs: PATIENCE.fromMs + own() * (PATIENCE.toMs - PATIENCE.fromMs),
        random: own,
      };
    };
    const wanting = makePerson(true);
    if (!scenario.liar || project !== LIAR) tally.persons++;
    const isReachable = random() >= UNREACHABLE;
    plan(asksAt, () => arrive(wanting, isReachable));
    if (random() < LEAVES) {
      const leaving = makePerson(false);
      plan(asksAt, () => arrive(leaving, true));
    }
    const pumped = scenario.pumped?.((asksAt - START) / scenario.spanMs) ?? 0;
    for (let one = 0; one < pumped; one++) {
      const pump = makePerson(false);
      plan(asksAt, () => arrive(pump, true));
    }
  }
  runAll();
  const seconds = tally.seconds.toSorted((a, b) => a - b);
  return {
    persons: tally.persons,
    verified: seconds.length,
    verifiedShare: seconds.length / tally.persons,
    micros: tally.micros,
    messages: tally.messages,
    medianSeconds: seconds[Math.floor(seconds.length * 0.5)] ?? Number.NaN,
    p95Seconds: seconds[Math.floor(seconds.length * 0.95)] ?? Number.NaN,
    resends: tally.resends,
    firsts,
  };
}
