import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { SingleJob } from '../../../domain/job/single.ts';
import type { KeyMode } from '../../../domain/project/key.ts';
import { FAILING_DAYS_MAX } from '../../../domain/webhook/endpoint.ts';
import { eventBody } from '../../../domain/webhook/event.ts';
import { webhook } from '../../../domain/webhook/job.ts';
import type { Delivery, WebhookJobs, WebhookWork } from '../../../domain/webhook/delivery.ts';
import { shownUrl } from '../../../domain/webhook/url.ts';
import type { Encryption } from '../../process/crypto.ts';
import { batcher, type GatherMs, NO_GATHERING } from '../engine/batcher.ts';
import { type SingleJobRow, singleJobs } from '../job/single.ts';
import { ensureProjectSecret } from './secrets.ts';
import type { JobReason } from '../../../domain/reasons.ts';

const BATCH_MAX = 200;
const BATCHES_IN_FLIGHT_MAX = 2;

interface WebhookRow extends SingleJobRow {
  readonly mode: KeyMode;
  readonly event_id: string | null;
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly happened_at: Date;
  readonly callback_url: string | null;
  readonly endpoint_id: string | null;
  readonly endpoint_url: string | null;
  readonly endpoint_disabled: boolean;
  readonly endpoint_deleted: boolean;
  readonly secrets: readonly SecretJson[] | null;
}
interface SecretJson {
  readonly id: string;
  readonly encrypted: string;
  readonly expires_at: string | null;
}

/** Reads what a wake-up of `webhook` needs, and writes down what became of a call. */
export function webhookJobs(
  pool: pg.Pool,
  encryption: Encryption,
  now: () => Date,
  gatherMs: GatherMs = NO_GATHERING,
): WebhookJobs {
  const read = singleJobs<WebhookRow, WebhookWork>(pool, {
    kind: webhook.kind,
    columns: workColumns,
    joins: workJoins,
    gatherMs: gatherMs.before,
    work: (row) => workOf(row, encryption, now()),
  });
  const record = batcher({
    name: 'record-webhook',
    sizeMax: BATCH_MAX,
    inFlightMax: BATCHES_IN_FLIGHT_MAX,
    gatherMs: gatherMs.after,
    run: (deliveries: readonly Delivery[]) => recordAll(pool, deliveries),
  });
  return {
    read: async (id) => {
      const job = await read(id);
      return job && (await withProjectSecret(job, pool, encryption, now()));
    },
    record,
  };
}

const workColumns = `j.mode, e.id event_id, e.type, e.data, e.happened_at, e.callback_url, (j.payload ->> 'endpoint_id')::uuid endpoint_id,
  p.url endpoint_url, p.disabled_at is not null endpoint_disabled, p.deleted_at is not null endpoint_deleted,
  (select json_agg(json_build_object('id', s.id, 'encrypted', encode(s.encrypted, 'base64'), 'expires_at', s.expires_at)
    order by s.expires_at desc nulls first)
  from webhook_secret s where s.project_id = j.project_id and s.mode = j.mode and s.endpoint_id is not distinct from (j.payload ->> 'endpoint_id')::uuid) secrets`;
const workJoins = `left join webhook_event e on e.id = j.subject_id
  left join webhook_endpoint p on p.id = (j.payload ->> 'endpoint_id')::uuid and p.project_id = j.project_id`;

function workOf(row: WebhookRow, encryption: Encryption, now: Date): SingleJob<WebhookWork>['work'] {
  if (row.endpoint_deleted) return { settled: 'cancelled', reason: 'endpoint-deleted' satisfies JobReason };
  if (row.endpoint_disabled) return { settled: 'rejected', reason: 'endpoint-disabled' satisfies JobReason };
  const url = row.endpoint_id === null ? row.callback_url : row.endpoint_url;
  if (row.event_id === null || url === null) return null;
  const secrets = openAll(row.secrets ?? [], encryption, now);
  if (secrets === null) return { settled: 'rejected', reason: 'secret-unreadable' satisfies JobReason };
  return {
    jobId: row.id,
    projectId: row.project_id,
    mode: row.mode,
    eventId: row.event_id,
    eventType: row.type,
    endpointId: row.endpoint_id,
    url,
    body: eventBody({ type: row.type, mode: row.mode, happenedAt: row.happened_at, data: row.data }),
    secrets,
    attempt: row.attempts + 1,
    // What waited for our own pace asked for nothing.
    snoozes: (row.past ?? []).filter(({ outcome, reason }) => outcome === 'snoozed' && reason !== 'own-pace')
      .length,
  };
}

/** Those that still sign. Null where the key that encrypted one was retired: its job fails alone, and not its whole batch. */
function openAll(
  secrets: readonly SecretJson[],
  encryption: Encryption,
  now: Date,
): readonly string[] | null {
  const live = secrets.filter(({ expires_at }) => expires_at === null || new Date(expires_at) > now);
  try {
    return live.map(({ id, encrypted }) => encryption.decrypt(Buffer.from(encrypted, 'base64'), id));
  } catch {
    return null;
  }
}

/** A project's own secret is made when its first `callback_url` is called, if nobody has asked for it before. */
async function withProjectSecret(
  job: SingleJob<WebhookWork>,
  pool: pg.Pool,
  encryption: Encryption,
  now: Date,
): Promise<SingleJob<WebhookWork>> {
  const { work } = job;
  if (work === null || 'settled' in work || 'postponedTo' in work || work.secrets.length > 0) return job;
  const { id, encrypted } = await ensureProjectSecret(pool, encryption, work, now);
  return { ...job, work: { ...work, secrets: [encryption.decrypt(encrypted, id)] } };
}

async function recordAll(pool: pg.Pool, deliveries: readonly Delivery[]): Promise<void[]> {
  await pool.query({
    name: 'record-deliveries',
    text: recordDeliveries,
    values: [JSON.stringify(deliveries.map(deliveryRow)), FAILING_DAYS_MAX],
  });
  return deliveries.map(() => undefined);
}

function deliveryRow({ work, called, health, outcome, reason, latencyMs, at }: Delivery): object {
  const answered = called.kind === 'answered' ? called : null;
  return {
    id: uuidv7({ msecs: at.getTime() }),
    project_id: work.projectId,
    mode: work.mode,
    event_id: work.eventId,
    event_type: work.eventType,
    endpoint_id: work.endpointId,
    job_id: work.jobId,
    n: work.attempt,
    url: shownUrl(work.url),
    outcome,
    reason: called.kind === 'in-vain' ? called.fault : reason,
    status_code: answered?.status ?? null,
    latency_ms: latencyMs,
    response: answered?.body ?? null,
    at,
    health,
  };
}

/**
 * The log, and the endpoints of which something new is known, locked in the order of their ids. A success among failures
 * of one batch ends the bad time. An endpoint that works, or that is known to fail, is not written.
 */
const recordDeliveries = `
with w as (
  select * from json_to_recordset($1) as w (id uuid, project_id uuid, mode text, event_id uuid, event_type text, endpoint_id uuid, job_id uuid, n int,
    url text, outcome text, reason text, status_code int, latency_ms int, response text, at timestamptz, health text)),
logged as (
  insert into webhook_delivery (id, project_id, mode, event_id, event_type, endpoint_id, job_id, n, url, outcome, reason, status_code,
    latency_ms, response, at)
  select id, project_id, mode, event_id, event_type, endpoint_id, job_id, n, url, outcome, reason, status_code, latency_ms, response, at from w
  on conflict (job_id, n) do nothing),
told as (
  select endpoint_id, bool_or(health = 'well') well, bool_or(health = 'gone') gone, min(at) since, max(at) till
  from w where endpoint_id is not null and health <> 'unknown' group by 1),
news as materialized (
  select e.id, t.well, t.since,
    case when t.gone then 'gone' when not t.well and e.failing_since <= t.till - $2 * interval '1 day' then 'failing' end verdict
  from webhook_endpoint e join told t on t.endpoint_id = e.id
  where e.disabled_at is null and (t.gone or t.well <> (e.failing_since is null)
    or not t.well and e.failing_since <= t.till - $2 * interval '1 day')
  order by e.id for update of e)
update webhook_endpoint e set failing_since = case when not n.well then coalesce(e.failing_since, n.since) end,
  disabled_reason = n.verdict, disabled_at = case when n.verdict is not null then (select till from told where endpoint_id = e.id) end
from news n where e.id = n.id`;
