import type { Assessment } from '../../../../domain/earn/traffic/counterpart.ts';
import { type MeterFacts, meterSession, type Report } from '../../../../domain/earn/traffic/meter.ts';

/** 10:00 in Tashkent. */
export const START = new Date('2026-11-30T05:00:00Z');
export const MB = 1_000_000n;

export const at = (minutes: number, from = START): Date => new Date(from.getTime() + minutes * 60_000);

/** A report of so many minutes after the start, received five seconds later, with that total received. */
export const report = (seq: number, minutes: number, down: bigint, more: Partial<Report> = {}): Report => ({
  seq,
  measuredAt: at(minutes),
  receivedAt: new Date(at(minutes).getTime() + 5_000),
  up: 0n,
  down,
  ...more,
});

export const PAY: Assessment = { verdict: 'pay', reason: null };

/** With the gateway agreeing to all, unless it is said what it counted. */
export function meter(reports: readonly Report[], more: Partial<MeterFacts> = {}) {
  return meterSession({
    session: { startedAt: START, endedAt: null },
    reports,
    gateway: new Map(),
    rules: { requireCounterpart: 'pay', tolerancePercent: 5 },
    address: PAY,
    decided: new Map(),
    priceOf: () => 150,
    ...more,
  });
}
