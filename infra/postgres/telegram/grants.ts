import type { Grants } from '../engine/grants.ts';

export const telegramGrants: Grants = {
  tables: {
    closed_chat_use: { select: 'all', insert: 'all', delete: 'all' },
    telegram_chat: {
      select: 'all',
      insert: 'all',
      update: [
        'chat_id',
        'opted_out_at',
        'unreachable',
        'unreachable_at',
        'opened_at',
        'wish_update_id',
        'wish_at',
        'reach_update_id',
        'reach_at',
        'migrated_to',
        'migrated_at',
      ],
      delete: 'all',
    },
  },
};
