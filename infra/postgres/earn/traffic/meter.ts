import type pg from 'pg';
import { z } from 'zod';
import { earnSettings } from '../../../../domain/earn/settings.ts';
import type { SessionId } from '../../../../domain/earn/ids.ts';
import type { CounterpartRules, Assessment } from '../../../../domain/earn/traffic/counterpart.ts';
import {
  type MeteredDay,
  type MeterFacts,
  meterSession,
  type Report,
} from '../../../../domain/earn/traffic/meter.ts';
import type { MeterSessions } from '../../../../domain/earn/traffic/port.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { inTransaction, type Queryable } from '../../engine/transaction.ts';

/**
 * Meters sessions in one commit. Each is locked first: what comes meanwhile waits, and asks for another job. Two at once of one session wait
 * for each other, and the second writes what the first did, or more.
 */
export const sessionMeter =
  (pool: pg.Pool, book: ProjectId): MeterSessions =>
  (ids) =>
    inTransaction(pool, async (tx) => {
      const { rows: held } = await tx.query<SessionRow>(holdSessions, [ids, book]);
      if (held.length === 0) return new Map();
      const read = await readFacts(
        tx,
        book,
        held.map(({ id }) => id),
      );
      const metered = new Map(held.map((session) => [session.id, daysOf(session, read)]));
      const rows = held.flatMap(({ id }) => (metered.get(id) ?? []).map((day) => rowOf(id, day)));
      if (rows.length > 0) await tx.query('select session_day_write($1, $2)', [book, JSON.stringify(rows)]);
      return metered;
    });

interface SessionRow {
  readonly id: SessionId;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly verdict: Assessment['verdict'];
  readonly reason: string | null;
}

/** The lock, and the word that nothing of it waits any more, in the order of their ids. */
const holdSessions = `
with held as materialized (
  select id from traffic_session where id = any($1) and project_id = $2 order by id for no key update)
update traffic_session s set job_id = null, metered_at = navbat_now() from held where s.id = held.id
returning s.id, s.started_at, s.ended_at, s.verdict, s.reason`;

interface ReportRow {
  readonly session_id: string;
  readonly seq: number;
  readonly measured_at: Date;
  readonly received_at: Date;
  readonly up: string;
  readonly down: string;
  readonly conflicted: boolean;
}

const readReports = `
select session_id, seq, measured_at, received_at, up, down, conflicted from session_report where session_id = any($1)`;

interface CarriedRow {
  readonly session_id: string;
  readonly day: string;
  readonly bytes: string;
}

/** What came after the close of its day counts no more, as with phones. */
const readCarried = `
select r.session_id, r.day::text as day, sum(r.up + r.down)::text as bytes from (
  select session_id, up, down, received_at, (measured_at at time zone 'Asia/Tashkent')::date as day from gateway_report where session_id = any($1)) r
where r.received_at < (r.day + 3)::timestamp at time zone 'Asia/Tashkent' group by 1, 2`;

interface WrittenRow {
  readonly session_id: string;
  readonly day: string;
  readonly decided: boolean;
  /** What it was worth when it was decided; null where it never was. */
  readonly decided_micros: string | null;
  readonly verdict: Assessment['verdict'];
  readonly reason: string | null;
}

const readWritten = `
select d.session_id, d.day::text as day, d.decided_at is not null as decided, d.verdict, d.reason,
  (select a.micros::text from session_day_action a where a.session_id = d.session_id and a.day = d.day and a.action in ('pay', 'unpaid')
    order by a.id desc limit 1) as decided_micros
from session_day d where d.session_id = any($1)`;

interface PriceRow {
  readonly day: string;
  readonly tiyin_per_mb: number;
}

/** Of each day of these sessions, with the last one before. */
const readPrices = `
select p.day::text as day, p.tiyin_per_mb from price p, (
  select min(s.started_at at time zone 'Asia/Tashkent')::date as first from traffic_session s where s.id = any($2)) x
where p.project_id = $1 and p.day >= coalesce((select max(b.day) from price b where b.project_id = $1 and b.day <= x.first), x.first) order by p.day`;

interface Read {
  readonly reports: Map<string, readonly ReportRow[]>;
  readonly carried: Map<string, readonly CarriedRow[]>;
  readonly written: Map<string, readonly WrittenRow[]>;
  readonly priceOf: MeterFacts['priceOf'];
  readonly rules: CounterpartRules;
}

const Settings = z.object(earnSettings);

async function readFacts(tx: Queryable, book: ProjectId, ids: readonly SessionId[]): Promise<Read> {
  const [reports, carried, written, prices, projects] = await Promise.all([
    tx.query<ReportRow>(readReports, [ids]),
    tx.query<CarriedRow>(readCarried, [ids]),
    tx.query<WrittenRow>(readWritten, [ids]),
    tx.query<PriceRow>(readPrices, [book, ids]),
    tx.query<{ settings: unknown }>('select settings from project where id = $1', [book]),
  ]);
  const { require_counterpart: requireCounterpart, counterpart_tolerance_percent: tolerancePercent } =
    Settings.parse(projects.rows[0]?.settings ?? {});
  return {
    reports: Map.groupBy(reports.rows, ({ session_id }) => session_id),
    carried: Map.groupBy(carried.rows, ({ session_id }) => session_id),
    written: Map.groupBy(written.rows, ({ session_id }) => session_id),
    priceOf: (day) => priceOn(prices.rows, day),
    rules: { requireCounterpart, tolerancePercent },
  };
}

/** @throws where there is none: no session begins without one. */
function priceOn(prices: readonly PriceRow[], day: string): number {
  const price = prices.findLast((one) => one.day <= day);
  if (!price) throw new Error(`there is no price of ${day}`);
  return price.tiyin_per_mb;
}

const reportOf = (row: ReportRow): Report => ({
  seq: row.seq,
  measuredAt: row.measured_at,
  receivedAt: row.received_at,
  up: BigInt(row.up),
  down: BigInt(row.down),
  conflicted: row.conflicted,
});

/** A day that was metered before, and of which no report counts any more, is written as an empty one. */
function daysOf(session: SessionRow, read: Read): readonly MeteredDay[] {
  const before = read.written.get(session.id) ?? [];
  const { days } = meterSession({
    session: { startedAt: session.started_at, endedAt: session.ended_at },
    reports: (read.reports.get(session.id) ?? []).map(reportOf),
    gateway: new Map((read.carried.get(session.id) ?? []).map(({ day, bytes }) => [day, BigInt(bytes)])),
    rules: read.rules,
    address: { verdict: session.verdict, reason: session.reason },
    decided: new Map(
      before
        .filter(({ decided }) => decided)
        .map(({ day, verdict, reason, decided_micros: micros }) => [
          day,
          { verdict, reason, micros: BigInt(micros ?? 0) },
        ]),
    ),
    priceOf: read.priceOf,
  });
  const gone = before.filter(({ day }) => !days.some((one) => one.day === day));
  return [...days, ...gone.map(({ day }) => emptyDay(day, read.priceOf(day)))];
}

const emptyDay = (day: string, tiyinPerMb: number): MeteredDay => ({
  day,
  verdict: 'pay',
  reason: null,
  bytes: 0n,
  payable: 0n,
  tiyinPerMb,
  micros: 0n,
  gatewayBytes: null,
  unpaid: [],
});

const rowOf = (id: SessionId, day: MeteredDay) => ({
  session_id: id,
  day: day.day,
  bytes: day.bytes.toString(),
  payable: day.payable.toString(),
  tiyin_per_mb: day.tiyinPerMb,
  micros: day.micros.toString(),
  gateway_bytes: day.gatewayBytes?.toString() ?? null,
  verdict: day.verdict,
  reason: day.reason,
  unpaid: day.unpaid.map(({ reason, bytes }) => ({ reason, bytes: bytes.toString() })),
});
