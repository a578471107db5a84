import type { Grants } from '../engine/grants.ts';

export const webhookGrants: Grants = {
  tables: {
    webhook_delivery: { select: 'all', insert: 'all' },
    webhook_endpoint: {
      select: 'all',
      insert: 'all',
      update: [
        'url',
        'host',
        'description',
        'event_types',
        'failing_since',
        'disabled_at',
        'disabled_reason',
        'updated_at',
        'deleted_at',
      ],
      delete: 'all',
    },
    webhook_event: { select: 'all', insert: 'all', delete: 'all' },
    webhook_secret: { select: 'all', insert: 'all', update: ['encrypted', 'expires_at'], delete: 'all' },
  },
  functions: ['webhook_is_wanted', 'webhook_emit', 'webhook_enqueue', 'webhook_host'],
};
