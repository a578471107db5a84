import { DATA_DAYS_MAX } from './assess.ts';

/** Open sessions that are in review because of the age of our data. */
export interface OldData {
  readonly sessions: number;
  readonly since: Date;
}

export const addressAlarms = (old: readonly OldData[]) =>
  old.map(({ sessions, since }) => ({
    alarm: 'address-data-old' as const,
    subject: 'addresses that traffic is shared from',
    since,
    says: `A file of ADDRESS_DATABASES or ADDRESS_LISTS is more than ${DATA_DAYS_MAX} days old: ${sessions} open sessions wait for a person because of it.`,
    nextStep: 'Put a newer file in its place; it is read within a minute.',
    link: null,
  }));
