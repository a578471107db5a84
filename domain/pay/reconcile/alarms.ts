/** Of a rail: what does not fit, and nobody has said why. */
export interface Unexplained {
  readonly rail: string;
  readonly count: number;
  readonly since: Date;
}

interface Alarm {
  readonly alarm: 'money-differs';
  readonly subject: string;
  readonly since: Date;
  readonly says: string;
  readonly nextStep: string;
  readonly link: null;
}

/** What rails say and what we know, where the two differ. */
export const differenceAlarms = (all: readonly Unexplained[]): readonly Alarm[] =>
  all.map(({ rail, count, since }) => ({
    alarm: 'money-differs',
    subject: rail,
    since,
    says: `${count === 1 ? 'One difference is' : `${count} differences are`} unexplained. No new batch of ${rail === 'all' ? 'any rail' : 'this rail'} begins.`,
    nextStep: 'Finance looks at GET /finance/differences?open=true, and says why: POST …/note.',
    link: null,
  }));
