import type { Pool } from 'pg';
import { z } from 'zod';
import { explainStored } from '../../../domain/reasons.ts';
import { type AlarmFacts, PROVIDER_MINUTES } from '../../../domain/staff/alarms.ts';
import { disabledReasons } from '../../../domain/webhook/port.ts';
import { idFloor } from '../job/filter.ts';

/** Endpoints that a page shows. */
const ENDPOINTS_MAX = 50;
/** Who was told so a week ago knows it. */
const DISABLED_DAYS = 7;

const HeartbeatRow = z.object({
  roles: z.array(z.string()),
  reconciledAt: z.date().nullable(),
  at: z.date(),
});
const EndpointRow = z.object({
  project: z.string(),
  host: z.string(),
  endpointId: z.string().nullable(),
  failingSince: z.date().nullable(),
  disabledReason: z.enum(disabledReasons).nullable(),
  stuck: z.int(),
});
const ProviderRow = z.object({ provider: z.string(), attempts: z.int(), faults: z.int() });

export async function readHeartbeats(pool: Pool): Promise<AlarmFacts['heartbeats']> {
  const { rows } = await pool.query(
    'select roles, reconciled_at as "reconciledAt", at from worker_heartbeat',
  );
  return HeartbeatRow.array().parse(rows);
}

/**
 * Endpoints that fail or were disabled for it, and hosts of a `callback_url` to which a call has failed, with what waits for
 * each. One scan of the unfinished webhook jobs, as the counts above it.
 */
export async function readEndpoints(pool: Pool, now: Date): Promise<AlarmFacts['endpoints']> {
  const { rows } = await pool.query(
    `with waiting as (
       select project_id, payload ->> 'endpoint_id' as endpoint_id, labels ->> 'to' as host, count(*)::int as stuck,
              max(attempts) as tries, min(accepted_at) as since
         from job where kind = 'webhook' and finished_at is null group by 1, 2, 3),
     hosts as (
       select project_id, host, null::uuid as endpoint_id, since as failing_since, null::text as disabled_reason, stuck
         from waiting where endpoint_id is null and tries > 0
       union all
       select e.project_id, e.host, e.id, e.failing_since, e.disabled_reason,
              coalesce((select sum(stuck) from waiting w where w.endpoint_id = e.id::text), 0)::int
         from webhook_endpoint e
        where e.deleted_at is null and (e.disabled_at is null and e.failing_since is not null
           or e.disabled_reason in ('gone', 'failing') and e.disabled_at > $1::timestamptz - interval '${DISABLED_DAYS} days'))
     select slug as project, host, endpoint_id as "endpointId", failing_since as "failingSince",
            disabled_reason as "disabledReason", stuck
       from hosts join project on project.id = project_id
      order by stuck desc, slug, host limit ${ENDPOINTS_MAX}`,
    [now],
  );
  return EndpointRow.array()
    .parse(rows)
    .map((row) => ({ ...row, disabledMeaning: explainStored(row.disabledReason)?.meaning ?? null }));
}

/** Attempts at each provider that ended lately; a customer's own server is no provider of ours. */
export async function readProviders(pool: Pool, now: Date): Promise<AlarmFacts['providers']> {
  const since = new Date(now.getTime() - PROVIDER_MINUTES * 60_000);
  const { rows } = await pool.query(
    `select provider, count(*)::int as attempts, count(*) filter (where outcome in ('failed', 'unknown'))::int as faults
       from attempt
      where job_id >= $1::uuid and opened_at >= $2 and outcome is not null and channel is distinct from 'webhook'
      group by provider order by provider`,
    [idFloor(since), since],
  );
  return ProviderRow.array().parse(rows);
}
