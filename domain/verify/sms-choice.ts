import type { JobId, ProjectId } from '../shared/ids.ts';
import type { RoutedProvider } from './sms-routes.ts';
import { type SmsChoice, type SmsProvider, smsProviders } from './sms-provider.ts';

/**
 * Which SMS provider is tried first. The order of a route is its owner's; measuring changes it in two ways.
 *
 * 1. An experiment that never ends: of a route's sends a fixed share begins with each of its cheap providers, whatever their place
 *    ("trial"). Only these are counted, and only by codes that were typed, since a provider may report as delivered what it lost.
 *    Chance alone decides who gets them, so that at any moment all providers are measured by the same sort of people: night, a
 *    campaign or pumped numbers lower all shares alike, and what counts is each share against the best one.
 * 2. All other sends begin with the provider whose typed code costs least (price / share against the best). Who loses more than half
 *    is passed over whatever it costs, as people wait.
 *
 * Counts decay, so that a provider that recovers is found again by the trials that it still gets.
 *
 * Who types a code is known to the project alone, and a project could type the codes of one provider only. So a project is measured
 * by its own trials in full. Each other project adds at most a third of a proof, and no one of them decides: what all together would
 * change holds only where it would also be so without any one of them.
 */
export interface ProviderScore {
  /** Trials, and those whose code was typed before anything else was sent; as of `at`. */
  readonly sent: number;
  readonly arrived: number;
  readonly at: Date;
}
export type Counts = ReadonlyMap<SmsProvider, ProviderScore>;

/** What a project may know of the providers for one operator's numbers. */
export interface Scores {
  readonly own: Counts;
  /** As much as each other project adds (`asTold`). */
  readonly others: readonly Counts[];
}

/** Of one project's sends to one operator's numbers. */
export interface OperatorScore extends ProviderScore {
  readonly projectId: ProjectId;
  readonly operator: string;
  readonly provider: SmsProvider;
}

type Priced = Pick<RoutedProvider, 'provider' | 'priceMicros'>;
/** Why it is the first of its send; of those that follow, the attempt says `failover`. */
type Ordered<Routed> = Routed & { readonly chosen: Exclude<SmsChoice, 'failover'> };

interface Asked<Routed> {
  /** As it is listed. */
  readonly route: readonly Routed[];
  /** Nothing is known where there are none. */
  readonly scores: Scores | undefined;
  /** Of earlier sends of the same verification: what they sent did not help, and a resend begins with another. */
  readonly usedBefore: ReadonlySet<SmsProvider>;
  /** Off: the listed order, and no trials. */
  readonly measures: boolean;
  /** 0 to 1, and the same at each wake-up of one job (`drawOf`): a job has one order. */
  readonly draw: number;
  readonly now: Date;
}

/** Of a route's sends, for each provider on trial. Fewer find a loss later, more cost more while a provider loses. */
const TRIAL_SHARE = 0.05;
/** Who costs more than this many times the cheapest is no trial worth its price: it comes last, or where its owner lists it. */
const TRIAL_PRICE_RATIO_MAX = 2;
/** When a trial counts: later than any provider's deadline, and as long as all but the slowest people take to type. */
export const TRIAL_MATURE_MS = 120_000;
/** Fewer trials prove nothing: of 20 that all arrive as they should, 3 or 4 codes are not typed. */
const TRIALS_MIN = 20;
/** Of one other project: three together are a proof, two are none. */
export const TRIALS_TOLD_MAX = 7;
/** What is remembered of each provider, in trials: a busy route forgets sooner, since it learns sooner. */
const TRIALS_KEPT_MAX = 80;
/** And in time, for routes with few sends: what was seen in the morning says little of the night. */
export const SCORE_HALF_LIFE_SECONDS = 21_600;
/** A share this near to the best one is chance as likely as loss, and costs a tenth at most. */
const SHARE_GOOD_MIN = 0.9;
/** Who loses more than arrives is passed over, however much dearer the next one is. */
const SHARE_BEARABLE_MIN = 0.5;

/** The providers of one send, in the order in which they are tried. */
export function orderRoute<Routed extends Priced>(asked: Asked<Routed>): readonly Ordered<Routed>[] {
  const { route, usedBefore, measures, draw } = asked;
  const usual = usualOrder(asked);
  if (route.some(({ provider }) => usedBefore.has(provider))) return afterEarlierSends(usual, usedBefore);
  const onTrial = measures ? trialOf(route, draw) : null;
  return [
    ...usual.filter((one) => one.provider === onTrial).map((one) => ({ ...one, chosen: 'trial' as const })),
    ...usual.filter((one) => one.provider !== onTrial),
  ];
}

/** A job's draw: the random end of its UUIDv7, which nobody who asks for a code can choose. */
export const drawOf = (jobId: JobId): number => Number.parseInt(jobId.slice(-12), 16) / 2 ** 48;

/** Counts as of a later time. */
function decayedScore({ sent, arrived, at }: ProviderScore, now: Date): ProviderScore {
  const factor = 0.5 ** (Math.max(0, now.getTime() - at.getTime()) / (SCORE_HALF_LIFE_SECONDS * 1_000));
  return { sent: sent * factor, arrived: arrived * factor, at: now };
}

/** With what was measured since; of more than are kept, the oldest weigh less. */
export function withTrials(
  score: ProviderScore | undefined,
  trials: { readonly sent: number; readonly arrived: number },
  now: Date,
): ProviderScore {
  const before = score ? decayedScore(score, now) : { sent: 0, arrived: 0 };
  const sent = before.sent + trials.sent;
  const arrived = before.arrived + trials.arrived;
  const kept = Math.min(1, TRIALS_KEPT_MAX / sent);
  return { sent: sent * kept, arrived: arrived * kept, at: now };
}

/**
 * What a project's own trials tell of one operator's numbers: those that went to them, and of all other operators' at most as many as
 * a proof takes. A provider that loses everywhere is found by all operators together; one that loses at one operator, by its own.
 */
export function countsOf(rows: readonly OperatorScore[], operator: string, now: Date): Counts {
  return eachProvider((provider) => {
    const of = rows.filter((row) => row.provider === provider);
    const there = of.filter((row) => row.operator === operator);
    const elsewhere = of.filter((row) => row.operator !== operator);
    return sumOf([...there, atMost(TRIALS_MIN, sumOf(elsewhere, now))], now);
  });
}

/** Of another project's counts, what it adds to a project's own: of all operators together. */
export const asTold = (counts: Counts, now: Date): Counts =>
  eachProvider((provider) => atMost(TRIALS_TOLD_MAX, sumOf(scoreIn(counts, provider), now)));

/** All other projects weigh no more than a proof, however many they are: what a project sees itself decides soon. */
const withOthers = ({ own, others }: Scores, now: Date): Counts =>
  eachProvider((provider) => {
    const told = sumOf(
      others.flatMap((counts) => scoreIn(counts, provider)),
      now,
    );
    return sumOf([...scoreIn(own, provider), atMost(TRIALS_MIN, told)], now);
  });

const eachProvider = (scoreOf: (provider: SmsProvider) => ProviderScore): Counts =>
  new Map(smsProviders.map((provider) => [provider, scoreOf(provider)]));

function scoreIn(counts: Counts, provider: SmsProvider): readonly ProviderScore[] {
  const score = counts.get(provider);
  return score ? [score] : [];
}

function sumOf(scores: readonly ProviderScore[], now: Date): ProviderScore {
  const decayed = scores.map((score) => decayedScore(score, now));
  const total = (of: 'sent' | 'arrived') => decayed.reduce((sum, score) => sum + score[of], 0);
  return { sent: total('sent'), arrived: total('arrived'), at: now };
}

/** The same share of fewer trials. */
function atMost(trials: number, { sent, arrived, at }: ProviderScore): ProviderScore {
  const weight = sent > trials ? trials / sent : 1;
  return { sent: sent * weight, arrived: arrived * weight, at };
}

/** By what a typed code costs; where nothing is known, as listed. What other projects tell holds without any one of them, or not at all. */
function usualOrder<Routed extends Priced>(asked: Asked<Routed>): readonly Ordered<Routed>[] {
  const { route, scores, measures, now } = asked;
  if (!measures || !scores) return orderBy(route, new Map(), now);
  const { own, others } = scores;
  const alone = orderBy(route, own, now);
  const together = orderBy(route, withOthers(scores, now), now);
  if (isSameOrder(alone, together)) return alone;
  const isSureWithout = (one: Counts) => {
    const rest = { own, others: others.filter((other) => other !== one) };
    return isSameOrder(orderBy(route, withOthers(rest, now), now), together);
  };
  return others.every(isSureWithout) ? together : alone;
}

const isSameOrder = (one: readonly Priced[], other: readonly Priced[]) =>
  one.every(({ provider }, place) => provider === other[place]?.provider);

function orderBy<Routed extends Priced>(
  route: readonly Routed[],
  counts: Counts,
  now: Date,
): readonly Ordered<Routed>[] {
  const shares = sharesOfBest(route, counts, now);
  let listedMicros = 0;
  const order = route
    .map((routed) => {
      // Who lists a dearer one first wants it first: no price counts less than one that is listed before it.
      listedMicros = Math.max(listedMicros, routed.priceMicros);
      const share = shares.get(routed.provider) ?? 1;
      return { routed, isPassedOver: share < SHARE_BEARABLE_MIN, typedMicros: listedMicros / share };
    })
    .toSorted((a, b) => Number(a.isPassedOver) - Number(b.isPassedOver) || a.typedMicros - b.typedMicros);
  return order.map(({ routed }, place) => ({
    ...routed,
    chosen: routed.provider === route[place]?.provider ? 'listed' : 'measured',
  }));
}

/** What of each one's codes was typed, against the best of the route. Who has too few trials is in none, and counts as the best. */
function sharesOfBest(route: readonly Priced[], counts: Counts, now: Date): Map<SmsProvider, number> {
  const proven = route.flatMap(({ provider }) => {
    const { sent, arrived } = sumOf(scoreIn(counts, provider), now);
    return sent < TRIALS_MIN ? [] : [{ provider, share: arrived / sent }];
  });
  const best = Math.max(...proven.map(({ share }) => share));
  return new Map(
    proven.map(({ provider, share }) => {
      // No code of any of them was typed: that says nothing of one.
      const ofBest = best > 0 ? share / best : 1;
      return [provider, ofBest >= SHARE_GOOD_MIN ? 1 : Math.max(ofBest, Number.EPSILON)];
    }),
  );
}

/** Each provider that is cheap enough has a slice of the draw. With one alone there is nothing to compare. */
function trialOf(route: readonly Priced[], draw: number): SmsProvider | null {
  const cheapestMicros = Math.min(...route.map(({ priceMicros }) => priceMicros));
  const onTrial = route.filter(({ priceMicros }) => priceMicros <= cheapestMicros * TRIAL_PRICE_RATIO_MAX);
  return onTrial.length < 2 ? null : (onTrial[Math.floor(draw / TRIAL_SHARE)]?.provider ?? null);
}

function afterEarlierSends<Routed extends Priced>(
  usual: readonly Ordered<Routed>[],
  usedBefore: ReadonlySet<SmsProvider>,
): Ordered<Routed>[] {
  const fresh = usual.filter(({ provider }) => !usedBefore.has(provider));
  return [
    ...fresh.map((one) => ({ ...one, chosen: 'resend' as const })),
    ...usual.filter(({ provider }) => usedBefore.has(provider)),
  ];
}
