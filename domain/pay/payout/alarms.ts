/** A payout ends some seconds after the time in which its person or payee could answer. */
export const OVERDUE_MS = 10 * 60_000;

/** Payouts whose time is over, and whose money was not given back. */
export interface Overdue {
  readonly count: number;
  readonly since: Date;
}

interface Alarm {
  readonly alarm: 'payouts-overdue';
  readonly subject: string;
  readonly since: Date;
  readonly says: string;
  readonly nextStep: string;
  readonly link: null;
}

export const overdueAlarms = (all: readonly Overdue[]): readonly Alarm[] =>
  all.map(({ count, since }) => ({
    alarm: 'payouts-overdue',
    subject: 'payouts',
    since,
    says: `${count === 1 ? 'One payout has' : `${count} payouts have`} expired, and the money was not given back.`,
    nextStep:
      'Look whether the reconciler runs. If it does, the ledger refuses them: GET /finance/equation tells whether what is held fits.',
    link: null,
  }));
