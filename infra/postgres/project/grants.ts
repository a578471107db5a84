import type { Grants } from '../engine/grants.ts';

export const projectGrants: Grants = {
  tables: {
    api_key: {
      select: 'all',
      insert: 'all',
      update: ['name', 'allowed_origins', 'revoked_at', 'last_used_at'],
    },
    project: { select: 'all', insert: 'all', update: ['settings', 'ceilings', 'archived_at'] },
    project_name: { select: 'all', insert: 'all', delete: 'all' },
    project_rows: { select: 'all', insert: 'all', update: ['n'] },
    project_rows_change: { select: 'all', insert: 'all', update: ['n'], delete: 'all' },
    usage_day: { select: 'all', insert: 'all', update: ['attempts', 'cost_micros'] },
  },
  functions: ['navbat_now'],
};
