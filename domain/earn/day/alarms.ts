interface Alarm {
  readonly alarm: 'price-carried' | 'days-open';
  readonly subject: string;
  readonly since: Date;
  readonly says: string;
  readonly nextStep: string;
  readonly link: null;
}

/** A price that nobody set for today. */
export interface CarriedPrice {
  readonly day: string;
  readonly tiyinPerMb: number;
  readonly since: Date;
}

export const priceAlarms = (carried: readonly CarriedPrice[]): readonly Alarm[] =>
  carried.map(({ day, tiyinPerMb, since }) => ({
    alarm: 'price-carried',
    subject: `the price of ${day}`,
    since,
    says: `Nobody set the price of ${day}: it is that of the day before, ${tiyinPerMb} tiyin a MB.`,
    nextStep: 'Set the price of tomorrow: POST /api/admin/daily_price.',
    link: null,
  }));

/** Days close at 00:05; an hour later one that is open waits for something. */
export const OPEN_TOO_LONG_MS = 3_600_000;

export interface OpenDays {
  readonly people: number;
  readonly day: string;
}

export const dayAlarms = (open: readonly (OpenDays & { readonly since: Date })[]): readonly Alarm[] =>
  open.map(({ people, day, since }) => ({
    alarm: 'days-open',
    subject: `traffic of ${day}`,
    since,
    says: `The day ${day} is not closed for ${people} people: reports of theirs wait to be metered, or the reconciler does not run.`,
    nextStep: 'Look at the queue traffic-report, its worker and the reconciler.',
    link: null,
  }));
