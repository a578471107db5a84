import type { Preferences } from '../../../../domain/message/preferences/preferences.ts';

/** As `message_preference` has them; all null where the recipient has said nothing. */
export interface PreferenceColumns {
  readonly opted_out_at: Date | string | null;
  readonly categories_off: string[] | null;
  readonly quiet_from: number | null;
  readonly quiet_to: number | null;
  readonly time_zone: string | null;
}

export const preferencesOf = (row: PreferenceColumns): Preferences => ({
  optedOutAt: row.opted_out_at === null ? null : new Date(row.opted_out_at),
  categoriesOff: row.categories_off ?? [],
  quietHours:
    row.quiet_from === null || row.quiet_to === null
      ? null
      : { fromMinute: row.quiet_from, toMinute: row.quiet_to },
  timeZone: row.time_zone,
});
