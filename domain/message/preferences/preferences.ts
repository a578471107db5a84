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

/** What the person said themselves, on their page, by one click or at the bot. Only they take it back. */
export interface OwnWishes {
  readonly optedOut: boolean;
  readonly categoriesOff: readonly string[];
  readonly quietHours: boolean;
}

/** Of whoever has said nothing. */
export const NO_WISHES: OwnWishes = { optedOut: false, categoriesOff: [], quietHours: false };

/** What is theirs after a change that they made; the same object where nothing differs. */
export function ownAfter(before: OwnWishes, change: PreferencesChange): OwnWishes {
  const off = new Set(before.categoriesOff);
  for (const [name, isOn] of Object.entries(change.categories ?? {}))
    if (isOn) off.delete(name);
    else off.add(name);
  const after: OwnWishes = {
    optedOut: change.opted_out ?? before.optedOut,
    categoriesOff: [...off].toSorted(),
    quietHours: change.quiet_hours === undefined ? before.quietHours : change.quiet_hours !== null,
  };
  return JSON.stringify(after) === JSON.stringify(before) ? before : after;
}

/** The field by which a project's change would take back what the person said, or null. */
export function takenBack(own: OwnWishes, change: PreferencesChange, before: Preferences): string | null {
  if (own.optedOut && change.opted_out === false) return '/opted_out';
  const category = own.categoriesOff.find((name) => change.categories?.[name] === true);
  if (category !== undefined) return `/categories/${category}`;
  if (!own.quietHours) return null;
  // By their zone the hours move: who changes it lifts a part of them.
  const { quiet_hours: hours, time_zone: zone } = change;
  const asked = hours && quietHoursOf(hours);
  if (hours !== undefined && JSON.stringify(asked) !== JSON.stringify(before.quietHours))
    return '/quiet_hours';
  return zone !== undefined && zone !== before.timeZone ? '/time_zone' : null;
}

/** A project asked for what only the person may do: nothing of its change was made. */
export class PersonsWish extends Error {
  readonly pointer: string;

  constructor(pointer: string) {
    super(`the person has set ${pointer} themselves`);
    this.pointer = pointer;
  }
}

/** Of several of one person: whoever wants least decides, as for each message (`decideWishes`). Quiet hours are the first's that has any. */
export function leastOf(all: readonly Preferences[]): Preferences {
  const optedOut = all.flatMap(({ optedOutAt }) => (optedOutAt ? [optedOutAt.getTime()] : []));
  const quiet = all.find(({ quietHours }) => quietHours !== null) ?? all[0];
  return {
    optedOutAt: optedOut.length === 0 ? null : new Date(Math.min(...optedOut)),
    categoriesOff: [...new Set(all.flatMap(({ categoriesOff }) => categoriesOff))].toSorted(),
    quietHours: quiet?.quietHours ?? null,
    timeZone: quiet?.timeZone ?? null,
  };
}
