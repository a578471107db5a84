import { z } from 'zod';
import { CategoryName } from './category.ts';
import { type QuietHours, quietHoursOf, QuietHoursText, TimeZone } from './quiet-hours.ts';

/** What one person wants of one project's messages and pushes. Codes are no messages. */
export interface Preferences {
  /** Since when they want none at all. */
  readonly optedOutAt: Date | null;
  readonly categoriesOff: readonly string[];
  readonly quietHours: QuietHours | null;
  /** Null where they named none. */
  readonly timeZone: string | null;
}

/** Of whoever has said nothing. */
export const NO_PREFERENCES: Preferences = {
  optedOutAt: null,
  categoriesOff: [],
  quietHours: null,
  timeZone: null,
};

/** Body of a change: a field that is absent stays as it is. */
export const PreferencesChange = z.strictObject({
  opted_out: z
    .boolean()
    .optional()
    .meta({ description: 'No message and no push of the project at all, critical ones included.' }),
  categories: z
    .record(CategoryName, z.boolean())
    .optional()
    .meta({ description: 'true switches a category on, false off; one that is absent stays as it is.' }),
  quiet_hours: QuietHoursText.nullable().optional().meta({ description: 'null: none.' }),
  time_zone: TimeZone.nullable().optional(),
});
export type PreferencesChange = z.infer<typeof PreferencesChange>;

/** Who changed them last: the project's key, the person on their page, a mail program's one click, or the person at the bot. */
export const changers = ['project', 'page', 'one-click', 'bot'] as const;
export type Changer = (typeof changers)[number];

/** The preferences after a change; the same object where nothing differs. */
export function changedPreferences(before: Preferences, change: PreferencesChange, now: Date): Preferences {
  const off = new Set(before.categoriesOff);
  for (const [name, isOn] of Object.entries(change.categories ?? {}))
    if (isOn) off.delete(name);
    else off.add(name);
  const after: Preferences = {
    optedOutAt:
      change.opted_out === undefined
        ? before.optedOutAt
        : change.opted_out
          ? (before.optedOutAt ?? now)
          : null,
    categoriesOff: [...off].toSorted(),
    quietHours:
      change.quiet_hours === undefined
        ? before.quietHours
        : change.quiet_hours && quietHoursOf(change.quiet_hours),
    timeZone: change.time_zone === undefined ? before.timeZone : change.time_zone,
  };
  return JSON.stringify(after) === JSON.stringify(before) ? before : after;
}
