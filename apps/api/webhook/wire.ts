import { eventTypesOf } from '../../../domain/events.ts';
import { boundedWebhooks } from '../../../infra/postgres/project/rows.ts';
import { webhookStore } from '../../../infra/postgres/webhook/webhooks.ts';
import type { ApiPlatform } from '../../../infra/process/api-platform.ts';
import { urlFault } from '../../../infra/webhook/url-fault.ts';
import type { Wired } from '../wire.ts';
import { webhookRoutes } from './webhooks.routes.ts';

/** Endpoints that hear what happened. */
export function wireWebhook({ config, orm, pools, encryption, rows }: ApiPlatform): Wired {
  const webhooks = boundedWebhooks(webhookStore(orm.em, pools.read, encryption), rows);
  const fault = urlFault({ allowPrivate: config.WEBHOOK_ALLOW_PRIVATE });
  return { routes: webhookRoutes({ webhooks, urlFault: fault, told: eventTypesOf(config.NAVBAT_PRODUCTS) }) };
}
