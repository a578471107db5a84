import request from 'supertest';
import { afterAll } from 'vitest';
import { webhookRoutes } from '../../../../apps/api/webhook/webhooks.routes.ts';
import { eventTypes } from '../../../../domain/events.ts';
import { rowEncryption } from '../../../../infra/process/crypto.ts';
import { webhookStore } from '../../../../infra/postgres/webhook/webhooks.ts';
import { urlFault } from '../../../../infra/webhook/url-fault.ts';
import { openApi, openGround } from '../../../support/api.ts';

/** An intake of this file's own with the routes of webhooks. */
export async function openWebhooks() {
  const ground = await openGround();
  const ring = { current: 'test', keys: new Map([['test', Buffer.alloc(32, 7)]]) };
  const webhooks = webhookStore(ground.orm.em, ground.pool, rowEncryption(ring));
  const api = openApi(
    ground,
    webhookRoutes({ webhooks, told: eventTypes, urlFault: urlFault({ allowPrivate: false }) }),
  );
  afterAll(async () => {
    await api.close();
    await ground.close();
  });
  const call = (key: string, method: 'get' | 'post' | 'patch' | 'delete', path: string) =>
    request(api.app)[method](`/webhooks${path}`).set('Authorization', `Bearer ${key}`);
  return { ground, webhooks, call };
}
