import type { Grants } from '../engine/grants.ts';

/** Read, and write through the functions, which run as the owner. */
export const earnGrants: Grants = {
  keys: {
    price: ['project_id, day'],
    price_change: ['id'],
    session_day: ['session_id, day'],
    traffic_session: ['id'],
  },
  tables: {
    gateway: { select: 'all' },
    gateway_report: { select: 'all' },
    price: { select: 'all' },
    price_change: { select: 'all' },
    session_day: { select: 'all' },
    session_day_action: { select: 'all' },
    session_report: { select: 'all' },
    // The meter holds it, and says that nothing of it waits.
    traffic_session: { select: 'all', update: ['job_id', 'metered_at'] },
  },
  functions: [
    'day_close',
    'gateway_report_take',
    'price_ask',
    'price_carry',
    'price_end',
    'session_day_decide',
    'session_day_take_back',
    'session_day_write',
    'traffic_expire',
    'traffic_partitions',
    'traffic_rejob',
    'traffic_report',
    'traffic_start',
    'traffic_stop',
  ],
};
