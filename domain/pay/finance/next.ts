import { may, type StaffAction, type StaffMember } from '../../staff/port.ts';
import type { BatchState } from '../batch/batch.ts';

/** What staff do with a batch, each as the route of that name. */
export const batchActs = [
  'items',
  'submit',
  'reject',
  'withdraw',
  'approve',
  'run',
  'pause',
  'resume',
  'cancel-rest',
  'close',
] as const;
export type BatchAct = (typeof batchActs)[number];

const actsOf: Readonly<Record<BatchState, readonly BatchAct[]>> = {
  draft: ['items', 'submit'],
  submitted: ['approve', 'reject', 'withdraw'],
  approved: ['run', 'cancel-rest'],
  running: ['pause'],
  paused: ['resume', 'cancel-rest'],
  done: ['close'],
  closed: [],
};

const actionOf: Readonly<Record<BatchAct, StaffAction>> = {
  items: 'batch.make',
  submit: 'batch.make',
  withdraw: 'batch.make',
  reject: 'batch.approve',
  approve: 'batch.approve',
  run: 'batch.run',
  pause: 'rail.stop',
  resume: 'rail.open',
  'cancel-rest': 'batch.approve',
  close: 'batch.run',
};

/** Why somebody may not do it; a code of `/docs/problems`. */
export type WhyNot =
  | 'role-forbids'
  | 'maker'
  | 'own-money'
  | 'approver-new'
  | 'batch-empty'
  | 'rest-cancelled'
  | RunBlock;

/** Why a batch does not begin to run now, or does not go on, as `payout_batch_blocked` says it. */
export type RunBlock = 'rail-differs' | 'rail-otp' | 'approval-gone';

/** What is known of who asks, where a batch waits for approval. */
export interface ApproverFacts {
  /** Made, changed, imported or approved something of it. */
  readonly isHand: boolean;
  /** The batch pays them, or one of those who handle it. */
  readonly isOwnMoney: boolean;
  /** Account or second factor are younger than a day. */
  readonly isNew: boolean;
}

export interface NextAct {
  readonly act: BatchAct;
  readonly whyNot: WhyNot | null;
}

/** What of a batch decides what can be done with it. */
export interface Standing {
  readonly state: BatchState;
  readonly count: number;
  readonly runBlock: RunBlock | null;
  /** What was not on its way was cancelled: nothing of it goes on, and it is done by itself. */
  readonly isRestCancelled: boolean;
}

/** What can be done with a batch now, and why this member of staff may not do it. The functions in Postgres decide again. */
export const nextActs = (
  { state, count, runBlock, isRestCancelled }: Standing,
  { role }: Pick<StaffMember, 'role'>,
  facts: ApproverFacts,
): readonly NextAct[] => {
  const whyNotGoOn = isRestCancelled ? 'rest-cancelled' : runBlock;
  const whyNot: Partial<Record<BatchAct, WhyNot | null>> = {
    submit: count === 0 ? 'batch-empty' : null,
    approve: whyNotApprove(facts),
    run: whyNotGoOn,
    resume: whyNotGoOn,
    'cancel-rest': isRestCancelled ? 'rest-cancelled' : null,
  };
  const acts: readonly BatchAct[] =
    whyNotGoOn === 'approval-gone' ? ['approve', ...actsOf[state]] : actsOf[state];
  return acts.map((act) => ({
    act,
    whyNot: may(role, actionOf[act]) ? (whyNot[act] ?? null) : 'role-forbids',
  }));
};

export function whyNotApprove({ isHand, isOwnMoney, isNew }: ApproverFacts): WhyNot | null {
  if (isHand) return 'maker';
  if (isNew) return 'approver-new';
  return isOwnMoney ? 'own-money' : null;
}
