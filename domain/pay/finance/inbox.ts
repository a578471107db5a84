import { may, type StaffMember } from '../../staff/port.ts';
import { type ApproverFacts, type RunBlock, whyNotApprove, type WhyNot } from './next.ts';

/** What waits for somebody of finance, each as the act that would end the wait. */
export const waitKinds = [
  'batch.submit',
  'batch.approve',
  'batch.run',
  'batch.resume',
  'batch.close',
  'correction.agree',
  'payment.settle',
  'statement.agree',
] as const;
export type WaitKind = (typeof waitKinds)[number];

/** Something that waits, and what is known of it and of who asks. Amounts are tiyin. */
export interface Waiting {
  readonly kind: WaitKind;
  readonly id: string;
  readonly name: string;
  readonly count: number | null;
  readonly total: bigint;
  readonly since: Date;
  readonly facts: ApproverFacts;
  /** Of a batch that waits to be run. */
  readonly runBlock: RunBlock | null;
}

export interface Waits extends Omit<Waiting, 'facts' | 'runBlock'> {
  /** Null: it waits for who asks, among others. */
  readonly whyNot: WhyNot | null;
}

export interface Inbox {
  /** At most some hundred: whoever has more to do begins with these. */
  readonly waiting: (staffId: string) => Promise<readonly Waiting[]>;
}

const actionOf = {
  'batch.submit': 'batch.make',
  'batch.approve': 'batch.approve',
  'batch.run': 'batch.run',
  'batch.resume': 'rail.open',
  'batch.close': 'batch.run',
  'correction.agree': 'money.correct',
  'payment.settle': 'money.correct',
  'statement.agree': 'money.correct',
} as const satisfies Record<WaitKind, Parameters<typeof may>[1]>;

/** Two people: the others need one. */
const needsAnother: ReadonlySet<WaitKind> = new Set(['batch.approve', 'correction.agree', 'statement.agree']);

/** What they may do comes first; then by amount, then by age. */
export const inboxOf = (waiting: readonly Waiting[], { role }: Pick<StaffMember, 'role'>): readonly Waits[] =>
  waiting
    .map(({ facts, runBlock, ...one }): Waits => ({
      ...one,
      whyNot: may(role, actionOf[one.kind]) ? (runBlock ?? whyNotOf(one.kind, facts)) : 'role-forbids',
    }))
    .toSorted((a, b) => {
      if ((a.whyNot === null) !== (b.whyNot === null)) return a.whyNot === null ? -1 : 1;
      if (a.total !== b.total) return a.total > b.total ? -1 : 1;
      return a.since.getTime() - b.since.getTime();
    });

const whyNotOf = (kind: WaitKind, facts: ApproverFacts): WhyNot | null =>
  needsAnother.has(kind) ? whyNotApprove(facts) : null;
