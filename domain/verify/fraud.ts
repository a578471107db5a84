import type { CountedFactor } from '../shared/reason.ts';
import type { PaidAsker } from './asker.ts';

/**
 * Toll fraud pumps paid codes that nobody verifies. What a send has in common with others is a factor of its risk: the prefix of its
 * number (a number without its last four digits), and the address and the device that a service saw. Each has a score of a project,
 * whose counts decay, so that a block ends by itself when the pumping does. A user agent is no factor: whoever pumps writes any.
 */
export const riskFactors = ['prefix', 'ip', 'device'] as const;
export type RiskFactor = (typeof riskFactors)[number];

export interface Score {
  /**
   * What was sent by a paid channel and then verified, each halved every `HALF_LIFE_SECONDS`, as of `at`. Of a prefix these are codes. Of
   * an address and of a device they are numbers, each counted once an hour: one person who asks again and again looks like no pump.
   */
  readonly sent: number;
  readonly verified: number;
  readonly at: Date;
}
export type RiskScores = Readonly<Record<RiskFactor, Score | null>>;

/** An hour: pumps run for minutes, and honest users come back the same day. */
export const HALF_LIFE_SECONDS = 3_600;
/** A number that had a paid message within it is no new number of an address or a device. */
export const SAME_NUMBER_SECONDS = 3_600;
/** Fewer codes than this prove nothing: a family shares a prefix. */
export const PREFIX_SAMPLE_MIN = 10;
/** A class or a conference behind one address asks in the same minute, before the first of them has typed their code. */
export const IP_SAMPLE_MIN = 50;
/** A family passes one phone around; nobody signs in with five numbers that are not theirs. */
export const DEVICE_SAMPLE_MIN = 5;
/** Honest traffic verifies more than half of its codes, behind a carrier's address too; pumped traffic next to none. */
const VERIFIED_SHARE_MIN = 0.1;
/** Below this share of its sample a factor adds nothing: three unlucky codes are no evidence. */
const EVIDENCE_MIN = 0.5;
/** Weights of factors add up to a risk; from here on paid messages are blocked. */
const RISK_BLOCKED = 1;
/** Of all weights, where the service vouches for the client: no factor alone blocks them, a pumped prefix least of all. */
const TRUSTED_WEIGHT = 0.5;

const factorRules = {
  prefix: { sampleMin: PREFIX_SAMPLE_MIN, weight: 1 },
  ip: { sampleMin: IP_SAMPLE_MIN, weight: 1 },
  // Never enough alone: a service that sends one device id for everybody must not block itself while it is pumped.
  device: { sampleMin: DEVICE_SAMPLE_MIN, weight: 0.5 },
} as const satisfies Record<RiskFactor, { sampleMin: number; weight: number }>;

/**
 * Under which name a send is scored. Strangers have a score of their own, so that what they pump blocks no service; whoever calls
 * from where the number's codes were right is in none.
 */
export function scoredPrefix(prefix: string | null, asker: PaidAsker): string | null {
  if (prefix === null || asker === 'known') return null;
  return asker === 'stranger' ? `strangers ${prefix}` : prefix;
}

export function decayed<Of extends Score>(score: Of, now: Date): Of {
  const factor = 0.5 ** (Math.max(0, now.getTime() - score.at.getTime()) / (HALF_LIFE_SECONDS * 1_000));
  return { ...score, sent: score.sent * factor, verified: score.verified * factor, at: now };
}

/** What a factor adds to the risk: its weight, or so much less as its sample is short. */
function riskBy(factor: RiskFactor, score: Score | null, isTrusted: boolean, now: Date): number {
  if (!score) return 0;
  const { sampleMin, weight } = factorRules[factor];
  const { sent, verified } = decayed(score, now);
  if (sent < sampleMin * EVIDENCE_MIN || verified >= sent * VERIFIED_SHARE_MIN) return 0;
  return Math.min(1, sent / sampleMin) * weight * (isTrusted ? TRUSTED_WEIGHT : 1);
}

const isBlocked = (scores: RiskScores, isTrusted: boolean, now: Date): boolean =>
  riskFactors.reduce((risk, factor) => risk + riskBy(factor, scores[factor], isTrusted, now), 0) >=
  RISK_BLOCKED;

/** Why paid messages are not sent, and until when if no more are. */
export interface Block {
  /** `prefix-blocked` where the prefix is enough alone. */
  readonly reason: 'prefix-blocked' | 'risk-blocked';
  readonly until: Date;
  readonly factors: readonly CountedFactor[];
}

/** Null where paid messages may be sent. A service's `isTrusted` halves every weight; other limits know nothing of it. */
export function blockOf(scores: RiskScores, isTrusted: boolean, now: Date): Block | null {
  if (!isBlocked(scores, isTrusted, now)) return null;
  return {
    reason:
      riskBy('prefix', scores.prefix, isTrusted, now) >= RISK_BLOCKED ? 'prefix-blocked' : 'risk-blocked',
    until: blockedUntil(scores, isTrusted, now),
    factors: riskFactors.flatMap((factor) => countedFactor(factor, scores[factor], isTrusted, now)),
  };
}

/** Two decimals: counts that decay are no whole numbers. */
const rounded = (count: number) => Math.round(count * 100) / 100;

function countedFactor(
  factor: RiskFactor,
  score: Score | null,
  isTrusted: boolean,
  now: Date,
): CountedFactor[] {
  const risk = riskBy(factor, score, isTrusted, now);
  if (!score || risk === 0) return [];
  const { sent, verified } = decayed(score, now);
  return [{ factor, sent: rounded(sent), verified: rounded(verified), risk: rounded(risk) }];
}

/** The last millisecond of the block. The risk only falls, as counts decay alike, so that it is found by halving the span. */
function blockedUntil(scores: RiskScores, isTrusted: boolean, now: Date): Date {
  const isBlockedAfter = (ms: number) => isBlocked(scores, isTrusted, new Date(now.getTime() + ms));
  let blockedMs = 0;
  let freeMs = HALF_LIFE_SECONDS * 1_000;
  while (isBlockedAfter(freeMs)) [blockedMs, freeMs] = [freeMs, freeMs * 2];
  while (freeMs - blockedMs > 1) {
    const middleMs = Math.floor((blockedMs + freeMs) / 2);
    if (isBlockedAfter(middleMs)) blockedMs = middleMs;
    else freeMs = middleMs;
  }
  return new Date(now.getTime() + blockedMs);
}
