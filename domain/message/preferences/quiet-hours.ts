import { z } from 'zod';
import { onceValid } from '../../shared/refine.ts';

/** Where a person has named no zone. */
export const ZONE_DEFAULT = 'Asia/Tashkent';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

/** Minutes of the local day: from the first until before the second, over midnight where that is smaller. */
export interface QuietHours {
  readonly fromMinute: number;
  readonly toMinute: number;
}

const ClockTime = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day such as 22:00')
  .meta({ example: '22:00' });

export const QuietHoursText = z
  .strictObject({ from: ClockTime, to: ClockTime })
  .refine(({ from, to }) => from !== to, {
    ...onceValid,
    error: 'expected two times that differ: opted_out stops everything',
    path: ['to'],
  })
  .meta({ description: 'By the clock where the person is; over midnight where `to` is before `from`.' });

const minuteOf = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
const textOf = (minute: number) =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');

export const quietHoursOf = ({ from, to }: z.infer<typeof QuietHoursText>): QuietHours => ({
  fromMinute: minuteOf(from),
  toMinute: minuteOf(to),
});
export const quietHoursText = ({ fromMinute, toMinute }: QuietHours): z.infer<typeof QuietHoursText> => ({
  from: textOf(fromMinute),
  to: textOf(toMinute),
});

/** The zone as Intl spells it, or null. Offsets such as +05:00, which Intl takes too, know no summer time. */
function zoneNamed(text: string): string | null {
  if (!/^[A-Za-z]/.test(text)) return null;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}

export const TimeZone = z
  .string()
  .max(64)
  .refine((text) => zoneNamed(text) !== null, { error: 'expected an IANA time zone such as Asia/Tashkent' })
  .transform((text) => zoneNamed(text) ?? ZONE_DEFAULT)
  .meta({ description: 'IANA name of the time zone.', example: 'Asia/Tashkent' });

/** One for each zone that Intl knows, some hundreds; to make one costs a hundred times what it takes to use it. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat('en', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
    clocks.set(zone, clock);
  }
  return clock;
}

/** What the clock on the wall shows, in minutes since 1970 began there. Offsets of our time are whole minutes. */
function wallMinutes(zone: string, atMs: number): number {
  const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of clockOf(zone).formatToParts(atMs)) shown[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = shown;
  return Date.UTC(year, month - 1, day, hour, minute) / MINUTE_MS;
}

const offsetMinutes = (zone: string, atMs: number) => wallMinutes(zone, atMs) - Math.floor(atMs / MINUTE_MS);

const isWithin = ({ fromMinute, toMinute }: QuietHours, minute: number): boolean =>
  fromMinute < toMinute
    ? minute >= fromMinute && minute < toMinute
    : minute >= fromMinute || minute < toMinute;

/** The first minute after `fromMs` and up to `toMs` with another offset than `fromMs` has. */
function changeBetween(zone: string, fromMs: number, toMs: number): number {
  const offset = offsetMinutes(zone, fromMs);
  let [same, other] = [Math.floor(fromMs / MINUTE_MS), Math.ceil(toMs / MINUTE_MS)];
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2);
    if (offsetMinutes(zone, middle * MINUTE_MS) === offset) same = middle;
    else other = middle;
  }
  return other * MINUTE_MS;
}

/** Changes of the clock that quiet hours, shorter than a day, can meet: one and, in theory, a few. */
const STEPS_MAX = 8;

/**
 * When quiet hours end that hold at `at`; null where none hold. The clock on the wall decides: what it skips in spring is not waited
 * for, and what it shows twice in autumn is quiet twice.
 */
export function quietEnd(quiet: QuietHours, zone: string, at: Date): Date | null {
  let ms = at.getTime();
  for (let step = 0; step < STEPS_MAX; step++) {
    const wall = wallMinutes(zone, ms);
    const minute = wall % DAY_MINUTES;
    if (!isWithin(quiet, minute)) return step === 0 ? null : new Date(ms);
    const leftMinutes = (quiet.toMinute - minute + DAY_MINUTES) % DAY_MINUTES;
    const end = (Math.floor(ms / MINUTE_MS) + leftMinutes) * MINUTE_MS;
    ms = offsetMinutes(zone, end) === offsetMinutes(zone, ms) ? end : changeBetween(zone, ms, end);
  }
  return new Date(ms);
}

/** How long the day is between two stretches of quiet hours. */
export const openMs = ({ fromMinute, toMinute }: QuietHours): number =>
  ((fromMinute - toMinute + DAY_MINUTES) % DAY_MINUTES) * MINUTE_MS;
