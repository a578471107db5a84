import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import {
  REPLAY_CALLS_MAX,
  type Replayed,
  type WebhookOwner,
  type Webhooks,
} from '../../../domain/webhook/port.ts';
import { inTransaction } from '../engine/transaction.ts';

/** Sends again what was sent before, and sends a test. Each call of these is one transaction. */
export function webhookReplays(pool: pg.Pool): Pick<Webhooks, 'replay' | 'replayRange' | 'test'> {
  return {
    replay: (of, eventId, endpointId, now) =>
      inTransaction(pool, async (client) => {
        const { rowCount } = await client.query(
          'select from webhook_event where id = $1 and project_id = $2 and mode = $3',
          [eventId, of.projectId, of.mode],
        );
        if (rowCount === 0) return { kind: 'no-event' };
        const choice = {
          events: 'e.id = $2',
          values: [eventId],
          undeliveredOnly: false,
          anyType: endpointId !== null,
        };
        return replay(client, { of, endpointId, ...choice }, 'replay', now);
      }),
    replayRange: (of, { from, to, endpointId, undeliveredOnly }, how, now) =>
      inTransaction(pool, (client) => {
        // A test was meant for its moment.
        const events = `e.happened_at >= $2 and e.happened_at < $6 and e.type <> 'test'`;
        const choice = { events, values: [from, to], undeliveredOnly, anyType: false };
        return replay(client, { of, endpointId, ...choice }, how, now);
      }),
    test: (of, endpointId, requestId, now) =>
      inTransaction(pool, async (client) => {
        const fault = await endpointFault(client, of, endpointId);
        if (fault !== null) return fault;
        const eventId = uuidv7({ msecs: now.getTime() });
        await client.query(insertTest, [eventId, of.projectId, endpointId, requestId, now, of.mode]);
        return { eventId };
      }),
  };
}

interface Choice {
  readonly of: WebhookOwner;
  readonly endpointId: string | null;
  /** Condition on `webhook_event e`, over `$2` and, where there are two values, `$6`. */
  readonly events: string;
  readonly values: readonly unknown[];
  readonly undeliveredOnly: boolean;
  /** Whatever types the endpoint takes: it was named. */
  readonly anyType: boolean;
}

async function replay(
  client: pg.PoolClient,
  choice: Choice,
  how: 'count' | 'replay',
  now: Date,
): Promise<Replayed> {
  const { of, endpointId } = choice;
  const fault = endpointId === null ? null : await endpointFault(client, of, endpointId);
  if (fault !== null) return { kind: fault };
  // One replay of a project at a time, so that the second finds the first one's jobs on their way.
  await client.query('select pg_advisory_xact_lock(hashtext($1))', [`webhook replay ${of.projectId}`]);
  const [first, ...second] = choice.values;
  const values = [of.projectId, first, endpointId, REPLAY_CALLS_MAX + 1, of.mode, ...second];
  const { rows } = await client.query<{ events: number; calls: number }>(
    `${waysSql(choice)} select count(distinct event_id)::int events, count(*)::int calls from ways`,
    values,
  );
  const { events, calls } = rows[0] ?? { events: 0, calls: 0 };
  if (calls > REPLAY_CALLS_MAX) return { kind: 'too-many', events, calls };
  if (how === 'count') return { kind: 'counted', events, calls };
  await client.query(
    `${waysSql(choice)} select webhook_enqueue(e, w.targets, $${values.length + 1}) from (
      select event_id, array_agg(endpoint_id) targets from ways group by 1) w join webhook_event e on e.id = w.event_id`,
    [...values, now],
  );
  return { kind: 'done', events, calls };
}

/** Each chosen event with each place that wants it and has none of it on the way; null stands for its `callback_url`. */
const waysSql = ({ events, undeliveredOnly, anyType }: Choice) => `
with ways as materialized (
  select e.id event_id, t.endpoint_id
  from webhook_event e cross join lateral (
    select p.id endpoint_id from webhook_endpoint p
    where p.project_id = e.project_id and p.mode = e.mode and p.deleted_at is null and p.disabled_at is null and ($3::uuid is null or p.id = $3)
      and (${anyType} or p.event_types is null or e.type = any (p.event_types))
    union all select null where e.callback_url is not null and $3::uuid is null) t
  where e.project_id = $1 and e.mode = $5 and ${events} and not exists (
    select from job j where j.subject_id = e.id and j.kind = 'webhook'
      and (j.payload ->> 'endpoint_id')::uuid is not distinct from t.endpoint_id
      and (j.finished_at is null or ${undeliveredOnly} and j.state = 'completed'))
  limit $4)`;

async function endpointFault(
  client: pg.PoolClient,
  { projectId, mode }: WebhookOwner,
  id: string,
): Promise<'no-endpoint' | 'endpoint-disabled' | null> {
  const { rows } = await client.query<{ disabled: boolean }>(
    `select disabled_at is not null disabled from webhook_endpoint where id = $1 and project_id = $2 and mode = $3 and deleted_at is null`,
    [id, projectId, mode],
  );
  const [row] = rows;
  if (!row) return 'no-endpoint';
  return row.disabled ? 'endpoint-disabled' : null;
}

const insertTest = `
with event as (
  insert into webhook_event (id, project_id, mode, type, subject_id, data, request_id, happened_at)
  values ($1, $2, $6, 'test', $3, jsonb_build_object('id', $3::uuid, 'text', 'A test of this endpoint.'), $4, $5) returning *)
select webhook_enqueue(event::webhook_event, array[$3::uuid], $5) from event`;
