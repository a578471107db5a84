import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { SessionId } from '../../../../domain/earn/ids.ts';
import type {
  MeterSessions,
  ReportAnswer,
  ReportOrder,
  StartAnswer,
  TrafficSession,
  TrafficSessions,
} from '../../../../domain/earn/traffic/port.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { batcher } from '../../engine/batcher.ts';
import { keptColumns, keptDayOf, type KeptDayRow } from '../day/kept-day.ts';

/** Requests with so few reports share a commit with many; larger ones with few. */
const SMALL_ORDER = 10;
const SMALL_BATCH_MAX = 500;
const LARGE_BATCH_MAX = 10;
const BATCHES_IN_FLIGHT_MAX = 2;

interface Deps {
  readonly pool: pg.Pool;
  readonly book: ProjectId;
  readonly meter: MeterSessions;
}

export function trafficSessions({ pool, book, meter }: Deps): TrafficSessions {
  const run = (orders: readonly ReportOrder[]) => reportAll(pool, book, orders);
  const [name, inFlightMax] = ['traffic-reports', BATCHES_IN_FLIGHT_MAX];
  const small = batcher({ name, sizeMax: SMALL_BATCH_MAX, inFlightMax, run });
  const large = batcher({ name: `${name}-large`, sizeMax: LARGE_BATCH_MAX, inFlightMax, run });
  return {
    start: async (personId, installationId, now, country = null) => {
      const started = await startOf(pool, book, { personId, installationId, now });
      if (started.ok && country !== null)
        await pool.query(setCountry, [book, started.sessionId, personId, country]);
      return started;
    },
    report: (order) => (order.reports.length > SMALL_ORDER ? large(order) : small(order)),
    stop: async (personId, sessionId) => {
      const { rows } = await pool.query<StoppedRow>(stop, [book, personId, sessionId]);
      const [row] = rows;
      if (!row) return null;
      if (row.waits) await meter([sessionId]);
      const { rows: days } = await pool.query<KeptDayRow>(daysOf, [sessionId]);
      return { sessionId, startedAt: row.started_at, endedAt: row.ended_at, days: days.map(keptDayOf) };
    },
    list: async (personId, { isOpen, from, before }, { limit, after }) => {
      const { rows } = await pool.query<ListedRow>(list, [
        book,
        personId,
        after,
        limit + 1,
        isOpen ?? null,
        from ?? null,
        before ?? null,
      ]);
      return pageOf(rows.map(sessionOf), limit);
    },
    one: async (personId, sessionId) => {
      const { rows } = await pool.query<ListedRow>(one, [book, personId, sessionId]);
      return rows[0] ? sessionOf(rows[0]) : null;
    },
  };
}

interface StartRow {
  readonly outcome: 'started' | Exclude<StartAnswer, { readonly ok: true }>['reason'];
  readonly session: string | null;
}

/** The id has the time of our clock: by it reports are kept, and dropped. */
async function startOf(
  pool: pg.Pool,
  book: ProjectId,
  {
    personId,
    installationId,
    now,
  }: { readonly personId: string; readonly installationId: string; readonly now: Date },
): Promise<StartAnswer> {
  const id = uuidv7({ msecs: now.getTime() });
  const values = [book, id, personId, installationId];
  const [row] = await pool.query<StartRow>(start, values).then(({ rows }) => rows, blockedOr);
  if (!row) throw new Error('a session was asked for and nothing was answered');
  if (row.outcome === 'started') return { ok: true, sessionId: SessionId.parse(row.session) };
  if (row.outcome === 'session-open')
    return { ok: false, reason: 'session-open', sessionId: SessionId.parse(row.session) };
  return { ok: false, reason: row.outcome };
}

const start = 'select outcome, session from traffic_start($1, $2, $3, $4)';

/** In a commit of its own: killed in between, the country is unknown. */
const setCountry = 'select traffic_country($1, $2, $3, $4)';

/** Of the trigger that refuses sessions of people whom staff have blocked. */
const BLOCKED = 'NB046';

function blockedOr(error: unknown): readonly StartRow[] {
  if (error instanceof pg.DatabaseError && error.code === BLOCKED)
    return [{ outcome: 'person-blocked', session: null }];
  throw error;
}

interface ReportedRow {
  readonly outcome: 'taken' | 'unknown-session' | 'session-over' | 'session-full';
  readonly accepted: number;
  readonly repeated: number;
  readonly conflicts: number;
  readonly job_id: string | null;
}

async function reportAll(
  pool: pg.Pool,
  book: ProjectId,
  orders: readonly ReportOrder[],
): Promise<readonly ReportAnswer[]> {
  const asked = orders.map(({ sessionId, personId }, index) => ({
    place: index + 1,
    session_id: sessionId,
    person_id: personId,
  }));
  const said = orders.flatMap(({ reports }, index) =>
    reports.map(({ seq, measuredAt, up, down }) => ({
      place: index + 1,
      seq,
      measured_at: measuredAt,
      up: up.toString(),
      down: down.toString(),
    })),
  );
  const { rows } = await pool.query<ReportedRow>({
    name: 'traffic-report',
    text: report,
    values: [book, JSON.stringify(asked), JSON.stringify(said)],
  });
  return rows.map(({ outcome, accepted, repeated, conflicts, job_id: jobId }) =>
    outcome === 'taken' ? { ok: true, accepted, repeated, conflicts, jobId } : { ok: false, reason: outcome },
  );
}

const report = `
select outcome, accepted, repeated, conflicts, job_id from traffic_report($1, $2, $3) order by place`;

interface StoppedRow {
  readonly started_at: Date;
  readonly ended_at: Date;
  /** It ended by this call, or reports came since it was metered. */
  readonly waits: boolean;
}

/** The session is read as it was before the call. */
const stop = `
with stopped as materialized (select traffic_stop($1, $2, $3) as ended_at)
select s.started_at, e.ended_at, s.ended_at is null or s.job_id is not null as waits
from stopped e join traffic_session s on s.id = $3 where e.ended_at is not null`;

const daysOf = `select ${keptColumns} from session_day d where d.session_id = $1 order by d.day`;

interface ListedRow {
  readonly id: string;
  readonly installation_id: string;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly reports: number;
}

const sessionOf = (row: ListedRow): TrafficSession => ({
  id: SessionId.parse(row.id),
  installationId: row.installation_id,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  reports: row.reports,
});

const list = `
select s.id, s.installation_id, s.started_at, s.ended_at, s.reports from traffic_session s
where s.project_id = $1 and s.person_id = $2 and ($3::uuid is null or s.id < $3)
  and ($5::boolean is null or (s.ended_at is null) = $5) and ($6::timestamptz is null or s.started_at >= $6)
  and ($7::timestamptz is null or s.started_at < $7)
order by s.id desc limit $4`;

const one = `
select s.id, s.installation_id, s.started_at, s.ended_at, s.reports from traffic_session s
where s.project_id = $1 and s.person_id = $2 and s.id = $3`;
