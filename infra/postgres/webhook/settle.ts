import { EVENT_LIFE_DAYS } from '../../../domain/webhook/job.ts';
import type { Settle } from '../job/settle.ts';

/** An event of the past may always be told, where its endpoint is still there and enabled. */
export const webhookSettle: Settle = {
  waitsUntil: (
    now,
  ) => `(select ${now}::timestamptz + interval '${EVENT_LIFE_DAYS} days' where job.payload ->> 'endpoint_id' is null or exists (
     select from webhook_endpoint e where e.id = (job.payload ->> 'endpoint_id')::uuid and e.disabled_at is null and e.deleted_at is null))`,
};
