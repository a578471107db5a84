/** A rail that is stopped. */
export interface StoppedRail {
  readonly id: string;
  readonly stoppedAt: Date;
  /** 'staff:ID', or 'navbat' where it stopped itself. */
  readonly stoppedBy: string;
  readonly reason: string;
}

/** Payments of a rail that people have to settle. */
export interface StuckPayments {
  readonly rail: string;
  readonly count: number;
  readonly since: Date;
}

interface Alarm {
  readonly alarm: 'rail-stopped' | 'payments-stuck';
  readonly subject: string;
  readonly since: Date;
  readonly says: string;
  readonly nextStep: string;
  readonly link: null;
}

/** What stands still of the payments, and waits for people. */
export const dispatchAlarms = (
  stopped: readonly StoppedRail[],
  stuck: readonly StuckPayments[],
): readonly Alarm[] => [
  ...stopped.map(({ id, stoppedAt, stoppedBy, reason }) => ({
    alarm: 'rail-stopped' as const,
    subject: id,
    since: stoppedAt,
    says: `${stoppedBy === 'navbat' ? 'It stopped itself' : 'Somebody stopped it'}: ${reason}. No new payment begins.`,
    nextStep: 'Remove the cause; then one person asks to open it, and another agrees.',
    link: null,
  })),
  ...stuck.map(({ rail, count, since }) => ({
    alarm: 'payments-stuck' as const,
    subject: rail,
    since,
    says:
      rail === 'bank-file'
        ? `${count} payments of files for the bank are in no statement for 72 hours.`
        : `${count} payments have no known end: the rail did not say for a day whether it has paid.`,
    nextStep:
      'Ask the rail by their references (GET /finance/dispatches/stuck); then two people settle each as paid or failed.',
    link: null,
  })),
];
