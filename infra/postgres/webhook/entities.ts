import { defineEntity, p } from '@mikro-orm/core';
import type { KeyMode } from '../../../domain/project/key.ts';
import type { DisabledReason } from '../../../domain/webhook/endpoint.ts';

const WebhookEndpointSchema = defineEntity({
  name: 'WebhookEndpoint',
  tableName: 'webhook_endpoint',
  properties: {
    id: p.uuid().primary(),
    projectId: p.uuid(),
    mode: p.text().$type<KeyMode>(),
    url: p.text(),
    /** Of the URL: all that a board may show of it. */
    host: p.text(),
    description: p.text().nullable(),
    /** Null: every type. */
    eventTypes: p.array().$type<string[]>().nullable(),
    failingSince: p.datetime().nullable(),
    disabledAt: p.datetime().nullable(),
    disabledReason: p.text().$type<DisabledReason>().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    deletedAt: p.datetime().nullable(),
  },
});
export class WebhookEndpoint extends WebhookEndpointSchema.class {}
WebhookEndpointSchema.setClass(WebhookEndpoint);

const WebhookSecretSchema = defineEntity({
  name: 'WebhookSecret',
  tableName: 'webhook_secret',
  properties: {
    id: p.uuid().primary(),
    projectId: p.uuid(),
    mode: p.text().$type<KeyMode>(),
    /** Null: the project's own. */
    endpointId: p.uuid().nullable(),
    encrypted: p.blob(),
    createdAt: p.datetime(),
    /** Null for the current one. */
    expiresAt: p.datetime().nullable(),
  },
});
export class WebhookSecret extends WebhookSecretSchema.class {}
WebhookSecretSchema.setClass(WebhookSecret);
