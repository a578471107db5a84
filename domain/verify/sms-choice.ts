import type { JobId } from '../shared/ids.ts';
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
 */
export interface ProviderScore {
  /** Trials, and those whose code was typed before anything else was sent; as of `at`. */
  readonly sent: number;
  readonly arrived: number;
  readonly at: Date;
}
export type Scores = ReadonlyMap<SmsProvider, ProviderScore>;

/** Of one operator's numbers. */
export interface OperatorScore extends ProviderScore {
  readonly operator: string;
  readonly provider: SmsProvider;
}

type Priced = Pick<RoutedProvider, 'provider' | 'priceMicros'>;
/** Why it is the first of its send; of those that follow, the attempt says `failover`. */
type Ordered<Routed> = Routed & { readonly chosen: Exclude<SmsChoice, 'failover'> };

interface Asked<Routed> {
  /** As it is listed. */
  readonly route: readonly Routed[];
  readonly scores: Scores;
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
/** What is remembered of each provider, in trials: a busy route forgets sooner, since it learns sooner. */
const TRIALS_KEPT_MAX = 80;
/** And in time, for routes with few sends: what was seen in the morning says little of the night. */
const SCORE_HALF_LIFE_SECONDS = 21_600;
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
 * What is known of the providers for one operator's numbers: its own trials, and of all other operators' at most as many as a proof
 * takes. A provider that loses everywhere is found by all operators together; one that loses at one operator, by its own trials.
 */
export function scoresOf(rows: readonly OperatorScore[], operator: string, now: Date): Scores {
  return new Map(
    smsProviders.map((provider) => {
      const of = rows
        .filter((row) => row.provider === provider)
        .map((row) => ({ ...row, ...decayedScore(row, now) }));
      const own = sumOf(of.filter((row) => row.operator === operator));
      const others = sumOf(of.filter((row) => row.operator !== operator));
      const weight = others.sent > 0 ? Math.min(1, TRIALS_MIN / others.sent) : 0;
      return [
        provider,
        { sent: own.sent + others.sent * weight, arrived: own.arrived + others.arrived * weight, at: now },
      ] as const;
    }),
  );
}

const sumOf = (scores: readonly ProviderScore[]) =>
  scores.reduce((sum, one) => ({ sent: sum.sent + one.sent, arrived: sum.arrived + one.arrived }), {
    sent: 0,
    arrived: 0,
  });

/** By what a typed code costs; where nothing is known, as listed. */
function usualOrder<Routed extends Priced>(asked: Asked<Routed>): Ordered<Routed>[] {
  const { route, scores, measures, now } = asked;
  const shares = measures ? sharesOfBest(route, scores, now) : new Map<SmsProvider, number>();
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
function sharesOfBest(route: readonly Priced[], scores: Scores, now: Date): Map<SmsProvider, number> {
  const proven = route.flatMap(({ provider }) => {
    const score = scores.get(provider);
    const { sent, arrived } = score ? decayedScore(score, now) : { sent: 0, arrived: 0 };
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
