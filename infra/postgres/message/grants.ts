import type { Grants } from '../engine/grants.ts';

export const messageGrants: Grants = {
  tables: {
    broadcast: {
      select: 'all',
      insert: 'all',
      update: ['content', 'state', 'sent', 'failed', 'blocked', 'cancelled', 'finished_at'],
      delete: 'all',
    },
    broadcast_tally: { select: 'all', insert: 'all', update: ['sent'], delete: 'all' },
    message_opt_out: { select: 'all', insert: 'all', delete: 'all' },
    message_preference: {
      select: 'all',
      insert: 'all',
      update: [
        'project_id',
        'opted_out_at',
        'categories_off',
        'quiet_from',
        'quiet_to',
        'time_zone',
        'link_version',
        'changed_by',
        'changed_at',
        'own_opted_out',
        'own_categories_off',
        'own_quiet',
      ],
    },
    waiting_chat: { select: 'all', insert: 'all', update: ['priority', 'next_at', 'stamp'], delete: 'all' },
  },
  functions: ['message_outcome', 'webhook_on_message'],
};
