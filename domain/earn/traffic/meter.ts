import { tashkentDay } from '../../pay/ledger/head.ts';
import { closesAt } from '../day/day.ts';
import { microsOf } from '../price/price.ts';
import { compareCounts, type CounterpartRules, type Assessment, PAID, stricter } from './counterpart.ts';
import type { Flaw, UnpaidReason } from './flaws.ts';

/** No link of a phone carries more; a counter that grows faster is wrong. */
const BYTES_PER_SECOND_MAX = 50_000_000n;
/** Clocks of phones differ from ours by so much, and are still believed. */
const CLOCK_SLACK_MS = 60_000;
/** A session ends by itself after a day. */
const SESSION_LIFE_MS = 86_400_000;
/** 50 MB/s for a day, as the table of days takes it. Whoever claims more, with a counter that jumps back and forth, has claimed this much. */
const CLAIMED_MAX = 4_400_000_000_000n;

/** What a phone counted since its session began, as it arrived. */
export interface Report {
  /** Set by the phone, from 0, one more with each report. */
  readonly seq: number;
  readonly measuredAt: Date;
  readonly receivedAt: Date;
  /** Totals since the session began. */
  readonly up: bigint;
  readonly down: bigint;
  /** Another report of this number said something else. */
  readonly conflicted?: boolean;
}

interface Decision extends Assessment {
  /** What the day was worth when it was decided, in 10^-6 UZS. Its price does not change. */
  readonly micros: bigint;
}

interface MeteredSession {
  readonly startedAt: Date;
  /** Null while it goes on. */
  readonly endedAt: Date | null;
}

export interface MeterFacts {
  readonly session: MeteredSession;
  /** In any order, and as often as they arrived. */
  readonly reports: readonly Report[];
  /** What gateways carried, by day of Tashkent. */
  readonly gateway: ReadonlyMap<string, bigint>;
  readonly rules: CounterpartRules;
  /** What is known of the addresses that it came from. */
  readonly address: Assessment;
  /** Days of which a person has decided: that holds against every rule, and pays no more than was looked at. */
  readonly decided: ReadonlyMap<string, Decision>;
  /** Tiyin for a MB on a day of Tashkent. */
  readonly priceOf: (day: string) => number;
}

interface Unpaid {
  readonly reason: UnpaidReason;
  readonly bytes: bigint;
}

/** A session on one day of Tashkent. */
export interface MeteredDay extends Assessment {
  readonly day: string;
  /** What the phone claims. */
  readonly bytes: bigint;
  /** Of it, what is paid where the verdict is `pay`. */
  readonly payable: bigint;
  readonly tiyinPerMb: number;
  /** For the payable bytes, in 10^-6 UZS. */
  readonly micros: bigint;
  /** Null where no gateway reported. */
  readonly gatewayBytes: bigint | null;
  /** By reason; together exactly `bytes` less what is paid. */
  readonly unpaid: readonly Unpaid[];
}

interface FlawedReport {
  readonly seq: number;
  readonly day: string;
  readonly flaw: Flaw;
}

interface Metering {
  readonly days: readonly MeteredDay[];
  readonly flawed: readonly FlawedReport[];
}

/**
 * What a session earned: a function of the set of its reports. Their order, repetitions, and how they were split over requests change nothing.
 *
 * The bytes between two counted reports belong to the day of Tashkent on which the later one was measured: a phone that is to be paid to the
 * minute at midnight, or at a change of the price, reports at midnight.
 */
export function meterSession(facts: MeterFacts): Metering {
  const { reports, conflicted } = eachOnce(facts.reports);
  const placed = reports.map((report) => placedIn(facts.session, report));
  const conflicts = placed
    .filter(({ seq }) => conflicted.has(seq))
    .map(({ seq, day }) => ({ seq, day, flaw: 'conflict' as const }));
  const walked = walk(facts.session, placed);
  const days = [...new Set([...walked.counted.keys(), ...walked.missed.map(({ day }) => day)])].toSorted();
  return {
    days: days.map((day) => dayOf(day, walked, facts)),
    flawed: [...conflicts, ...walked.flawed].toSorted((x, y) => x.seq - y.seq || (x.flaw < y.flaw ? -1 : 1)),
  };
}

/** The first of each number stands. */
function eachOnce(all: readonly Report[]): {
  readonly reports: readonly Report[];
  readonly conflicted: ReadonlySet<number>;
} {
  const first = new Map<number, Report>();
  const conflicted = new Set<number>();
  for (const report of all.toSorted(inOrderOfArrival)) {
    const stands = first.get(report.seq);
    if (!stands) first.set(report.seq, report);
    if (report.conflicted || (stands && !saysTheSame(stands, report))) conflicted.add(report.seq);
  }
  return { reports: [...first.values()].toSorted((a, b) => a.seq - b.seq), conflicted };
}

/** Those that came at one moment are ordered by what they say, so that the order of a list decides nothing. */
const inOrderOfArrival = (a: Report, b: Report): number =>
  a.receivedAt.getTime() - b.receivedAt.getTime() ||
  a.seq - b.seq ||
  a.measuredAt.getTime() - b.measuredAt.getTime() ||
  Number(a.up - b.up) ||
  Number(a.down - b.down);

const saysTheSame = (a: Report, b: Report): boolean =>
  a.measuredAt.getTime() === b.measuredAt.getTime() && a.up === b.up && a.down === b.down;

/** A report with what it says of itself, whatever the others say. */
interface Placed extends Report {
  /** Of Tashkent, and one on which the session went on. */
  readonly day: string;
  readonly clockFlaw: Flaw | null;
}

function placedIn({ startedAt, endedAt }: MeteredSession, report: Report): Placed {
  const [measuredMs, startsMs] = [report.measuredAt.getTime(), startedAt.getTime()];
  const endsMs = Math.min(endedAt?.getTime() ?? Infinity, startsMs + SESSION_LIFE_MS);
  const isOutside = measuredMs < startsMs - CLOCK_SLACK_MS || measuredMs > endsMs + CLOCK_SLACK_MS;
  const isAhead = measuredMs > report.receivedAt.getTime() + CLOCK_SLACK_MS;
  return {
    ...report,
    day: tashkentDay(new Date(Math.min(Math.max(measuredMs, startsMs), endsMs))),
    clockFlaw: isOutside ? 'outside-session' : isAhead ? 'clock-ahead' : null,
  };
}

interface Missed {
  readonly day: string;
  readonly reason: Flaw;
  bytes: bigint;
}

interface Walked {
  /** By day. */
  readonly counted: Map<string, bigint>;
  /** What flawed reports claim, and no later one has confirmed; in order. */
  readonly missed: readonly Missed[];
  readonly flawed: readonly FlawedReport[];
}

/** Where the walk stands: the last report that counted, and the total of the last one of any sort. */
interface Place {
  readonly up: bigint;
  readonly down: bigint;
  readonly at: Date;
}

/**
 * Walks the reports by their numbers. What is claimed is each growth over the report before, flawed or not. A report that counts confirms all
 * up to its own total: what flawed ones before it had claimed of that is paid with it, the newest first.
 */
function walk({ startedAt }: MeteredSession, reports: readonly Placed[]): Walked {
  const late = lateReports(reports);
  const counted = new Map<string, bigint>();
  const missed: Missed[] = [];
  const flawed: FlawedReport[] = [];
  let place: Place = { up: 0n, down: 0n, at: startedAt };
  let [before, mayClaim] = [0n, CLAIMED_MAX];
  for (const report of reports) {
    const { seq, day, up, down } = report;
    const total = up + down;
    const claimed = lessOf(total > before ? total - before : 0n, mayClaim);
    before = total;
    mayClaim -= claimed;
    const flaw = flawOf(report, place, late.has(seq));
    if (flaw) {
      flawed.push({ seq, day, flaw });
      missed.push({ day, reason: flaw, bytes: claimed });
      continue;
    }
    const growth = total - (place.up + place.down);
    counted.set(day, (counted.get(day) ?? 0n) + growth);
    if (growth > claimed) confirm(missed, growth - claimed);
    // It grew since a flawed report, and only some of that is more than what counts already.
    else missed.push({ day, reason: 'counter-went-back', bytes: claimed - growth });
    place = { up, down, at: laterOf(place.at, report.measuredAt) };
  }
  return { counted, missed: missed.filter(({ bytes }) => bytes > 0n), flawed };
}

const lessOf = (a: bigint, b: bigint): bigint => (a < b ? a : b);

function confirm(missed: readonly Missed[], bytes: bigint): void {
  let left = bytes;
  for (const one of missed.toReversed()) {
    const part = lessOf(one.bytes, left);
    one.bytes -= part;
    left -= part;
  }
}

const laterOf = (a: Date, b: Date): Date => (a < b ? b : a);

function flawOf({ measuredAt, clockFlaw, up, down }: Placed, place: Place, isLate: boolean): Flaw | null {
  if (clockFlaw) return clockFlaw;
  if (isLate) return 'after-close';
  if (up < place.up || down < place.down) return 'counter-went-back';
  const sinceMs = BigInt(Math.max(0, measuredAt.getTime() - place.at.getTime()));
  const growth = up + down - place.up - place.down;
  return growth * 1_000n > sinceMs * BYTES_PER_SECOND_MAX ? 'too-fast' : null;
}

/**
 * Those that arrived after their day had closed, or after that of a later number had: what a closed day holds must stay what it is, so nothing
 * that comes then may count before it.
 */
function lateReports(reports: readonly Placed[]): ReadonlySet<number> {
  const late = new Set<number>();
  let deadlineMs = Infinity;
  for (const { seq, day, receivedAt, clockFlaw } of reports.toReversed()) {
    const ownMs = Math.min(closesAt(day).getTime(), deadlineMs);
    if (receivedAt.getTime() >= ownMs) late.add(seq);
    else if (clockFlaw === null) deadlineMs = ownMs;
  }
  return late;
}

function dayOf(day: string, { counted, missed }: Walked, facts: MeterFacts): MeteredDay {
  const phone = counted.get(day) ?? 0n;
  const gatewayBytes = facts.gateway.get(day) ?? null;
  const { payable, ...compared } = compareCounts(phone, gatewayBytes, facts.rules);
  const tiyinPerMb = facts.priceOf(day);
  const micros = microsOf(payable, tiyinPerMb);
  const assessed =
    heldOf(facts.decided.get(day), micros) ?? stricter(phone > 0n ? facts.address : PAID, compared);
  const unpaid = [
    ...missed.filter((one) => one.day === day),
    { reason: 'counterpart-lower' as const, bytes: phone - payable },
    { reason: assessed.reason ?? '', bytes: assessed.verdict === 'pay' ? 0n : payable },
  ];
  return {
    day,
    ...assessed,
    bytes: phone + missed.reduce((sum, one) => (one.day === day ? sum + one.bytes : sum), 0n),
    payable,
    tiyinPerMb,
    micros,
    gatewayBytes,
    unpaid: byReason(unpaid),
  };
}

/** Who decided to pay has not seen what was claimed later: the rules decide of the day again, and then people. */
function heldOf(decision: Decision | undefined, micros: bigint): Assessment | null {
  if (!decision || (decision.verdict === 'pay' && micros > decision.micros)) return null;
  return { verdict: decision.verdict, reason: decision.reason };
}

function byReason(parts: readonly Unpaid[]): readonly Unpaid[] {
  const sums = new Map<UnpaidReason, bigint>();
  for (const { reason, bytes } of parts) sums.set(reason, (sums.get(reason) ?? 0n) + bytes);
  return [...sums]
    .filter(([, bytes]) => bytes > 0n)
    .map(([reason, bytes]) => ({ reason, bytes }))
    .toSorted((a, b) => (a.reason < b.reason ? -1 : 1));
}
