import type { StaffRole } from './role.ts';

/** All that a member of staff can ask of the board and of `/ops`. */
export const staffActions = [
  'board.read',
  'ops.read',
  'audit.read',
  'job.retry',
  'job.promote',
  'job.cancel',
  'jobs.retry',
  'queue.pause',
  'queue.resume',
  'chat.open',
] as const;
export type StaffAction = (typeof staffActions)[number];

const everybody = { admin: true, operator: true, finance: true, developer: true, viewer: true };
/** Who answers for the queues changes them; everybody else looks. */
const keepers = { admin: true, operator: true, finance: false, developer: false, viewer: false };
/** Who did what is read by those who answer for it, and by those who check them. */
const overseers = { admin: true, operator: true, finance: true, developer: false, viewer: false };

/** The whole policy. A new action or a new role does not compile until it stands here. */
const policy = {
  'board.read': everybody,
  'ops.read': everybody,
  'audit.read': overseers,
  'job.retry': keepers,
  'job.promote': keepers,
  'job.cancel': keepers,
  'jobs.retry': keepers,
  'queue.pause': keepers,
  'queue.resume': keepers,
  'chat.open': keepers,
} as const satisfies Record<StaffAction, Record<StaffRole, boolean>>;

export const may = (role: StaffRole, action: StaffAction): boolean => policy[action][role];
