import type pg from 'pg';
import type { AttemptOutcome, JobState } from '../../../domain/job/job.ts';
import type { KeyMode } from '../../../domain/project/key.ts';
import { pageOf } from '../../../domain/shared/page.ts';
import type {
  DeliveryFilter,
  DeliveryView,
  EventFilter,
  EventWay,
  WebhookOwner,
  Webhooks,
} from '../../../domain/webhook/port.ts';
import { idFloor, parameters } from '../job/filter.ts';

/** Ways of one event that are shown: as many as ten endpoints and some replays make. */
const WAYS_MAX = 100;

interface EventColumns {
  readonly event_id: string;
  readonly type: string;
  readonly mode: KeyMode;
  readonly data: Record<string, unknown>;
  readonly happened_at: Date;
}
interface DeliveryRow extends EventColumns {
  readonly id: string;
  readonly endpoint_id: string | null;
  readonly job_id: string;
  readonly n: number;
  readonly url: string;
  readonly outcome: AttemptOutcome;
  readonly reason: string | null;
  readonly status_code: number | null;
  readonly latency_ms: number;
  readonly response: string | null;
  readonly at: Date;
}
interface WayRow {
  readonly id: string;
  readonly endpoint_id: string | null;
  readonly state: JobState;
  readonly reason: string | null;
  readonly attempts: number;
  readonly run_at: Date;
  readonly accepted_at: Date;
  readonly finished_at: Date | null;
}

/** What was sent, and what came of it. */
export function webhookLog(pool: pg.Pool): Pick<Webhooks, 'deliveries' | 'events' | 'event'> {
  return {
    deliveries: async (of, filter, { limit, after }) => {
      const { text, values } = deliveriesQuery(of, filter, after, limit + 1);
      const { rows } = await pool.query<DeliveryRow>(text, values);
      return pageOf(rows.map(deliveryView), limit);
    },
    events: async (of, filter, { limit, after }) => {
      const { text, values } = eventsQuery(of, filter, after, limit + 1);
      const { rows } = await pool.query<EventColumns>(text, values);
      return pageOf(rows.map(eventOf), limit);
    },
    event: async ({ projectId, mode }, id) => {
      const events = await pool.query<EventColumns & { subject_id: string }>(readEvent, [
        projectId,
        id,
        mode,
      ]);
      const [row] = events.rows;
      if (!row) return null;
      const ways = await pool.query<WayRow>(readWays, [id, projectId, WAYS_MAX]);
      return { event: eventOf(row), subjectId: row.subject_id, ways: ways.rows.map(wayView) };
    },
  };
}

const readEvent = `
select id event_id, type, mode, data, happened_at, subject_id from webhook_event where project_id = $1 and id = $2 and mode = $3`;

const readWays = `
select id, (payload ->> 'endpoint_id')::uuid endpoint_id, state, reason, attempts, run_at, accepted_at, finished_at
from job where subject_id = $1 and project_id = $2 and kind = 'webhook' order by id limit $3`;

/** Ids are UUIDv7 of the delivery's own time: the window is a part of the index that the page is read from. */
function deliveriesQuery(
  { projectId, mode }: WebhookOwner,
  filter: DeliveryFilter,
  after: string | null,
  rows: number,
) {
  const { values, put } = parameters();
  const clauses = [`d.project_id = ${put(projectId)}`, `d.mode = ${put(mode)}`];
  if (after !== null) clauses.push(`d.id < ${put(after)}`);
  if (filter.endpoint) clauses.push(`d.endpoint_id = ${put(filter.endpoint)}`);
  if (filter.event) clauses.push(`d.event_id = ${put(filter.event)}`);
  if (filter.status) clauses.push(`d.outcome = ${put(filter.status)}`);
  if (filter.from) clauses.push(`d.id >= ${put(idFloor(filter.from))}`);
  if (filter.to) clauses.push(`d.id < ${put(idFloor(filter.to))}`);
  const text = `
select d.id, d.event_id, d.endpoint_id, d.job_id, d.n, d.url, d.outcome, d.reason, d.status_code, d.latency_ms, d.response, d.at,
  e.type, e.mode, e.data, e.happened_at
from webhook_delivery d join webhook_event e on e.id = d.event_id
where ${clauses.join(' and ')} order by d.id desc limit ${put(rows)}`;
  return { text, values };
}

/** By the index of its type, or of all. */
function eventsQuery(
  { projectId, mode }: WebhookOwner,
  filter: EventFilter,
  after: string | null,
  rows: number,
) {
  const { values, put } = parameters();
  const clauses = [`project_id = ${put(projectId)}`, `mode = ${put(mode)}`];
  if (filter.type) clauses.push(`type = ${put(filter.type)}`);
  if (after !== null) clauses.push(`id < ${put(after)}`);
  if (filter.from) clauses.push(`id >= ${put(idFloor(filter.from))}`);
  if (filter.to) clauses.push(`id < ${put(idFloor(filter.to))}`);
  const text = `
select id event_id, type, mode, data, happened_at from webhook_event
where ${clauses.join(' and ')} order by id desc limit ${put(rows)}`;
  return { text, values };
}

const eventOf = ({ event_id, type, mode, data, happened_at }: EventColumns) => ({
  id: event_id,
  type,
  mode,
  data,
  happenedAt: happened_at,
});

function deliveryView(row: DeliveryRow): DeliveryView {
  return {
    id: row.id,
    event: eventOf(row),
    endpointId: row.endpoint_id,
    jobId: row.job_id,
    attempt: row.n,
    url: row.url,
    outcome: row.outcome,
    reason: row.reason,
    statusCode: row.status_code,
    latencyMs: row.latency_ms,
    response: row.response,
    at: row.at,
  };
}

function wayView(row: WayRow): EventWay {
  return {
    jobId: row.id,
    endpointId: row.endpoint_id,
    state: row.state,
    reason: row.reason,
    attemptCount: row.attempts,
    nextAt: row.finished_at === null ? row.run_at : null,
    acceptedAt: row.accepted_at,
  };
}
