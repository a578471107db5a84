import type { StaffRole } from './role.ts';

/** All that a member of staff can ask of the board, of `/ops` and of `/finance`. */
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
  'support.answer',
  'news.write',
  'finance.read',
  'batch.make',
  'batch.approve',
  'batch.run',
  'rail.stop',
  'rail.open',
  'money.correct',
  'price.set',
  'traffic.decide',
  'promo.set',
  'people.read',
  'people.block',
] as const;
export type StaffAction = (typeof staffActions)[number];

const everybody = { admin: true, operator: true, finance: true, developer: true, viewer: true };
/** Who answers for the queues, and to people, changes them; everybody else looks. */
const keepers = { admin: true, operator: true, finance: false, developer: false, viewer: false };
/** Who did what is read by those who answer for it, and by those who check them. */
const overseers = { admin: true, operator: true, finance: true, developer: false, viewer: false };

/** Who prepares and starts a payment. An admin makes none: who gives the roles must not also be the first of its two people. */
const makers = { admin: false, operator: false, finance: true, developer: false, viewer: false };
/** Who may look at money, and be its second person. */
const approvers = { admin: true, operator: false, finance: true, developer: false, viewer: false };
/** To stop a rail needs one person in a hurry; to open it again needs more. */
const stoppers = { admin: true, operator: true, finance: true, developer: false, viewer: false };

/** What takes from somebody all that they do here. */
const admins = { admin: true, operator: false, finance: false, developer: false, viewer: false };

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
  'support.answer': keepers,
  'news.write': keepers,
  'finance.read': approvers,
  'batch.make': makers,
  'batch.approve': approvers,
  'batch.run': makers,
  'rail.stop': stoppers,
  'rail.open': approvers,
  'money.correct': approvers,
  // Of what people earn; a large change takes two of them.
  'price.set': approvers,
  // Whether a day of traffic is paid. Nobody about their own.
  'traffic.decide': approvers,
  // What is promised to people; a large sum takes two of them.
  'promo.set': approvers,
  // Of who earns: their balance, their phones in part, and why they are blocked. Operators answer them.
  'people.read': overseers,
  'people.block': admins,
} as const satisfies Record<StaffAction, Record<StaffRole, boolean>>;

export const may = (role: StaffRole, action: StaffAction): boolean => policy[action][role];
