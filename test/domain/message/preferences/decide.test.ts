import { describe, expect, test } from 'vitest';
import {
  decideWish,
  decideWishes,
  type MessageFacts,
  shareOf,
  type Wish,
} from '../../../../domain/message/preferences/decide.ts';
import { NO_PREFERENCES, type Preferences } from '../../../../domain/message/preferences/preferences.ts';
import { quietEnd, type QuietHours } from '../../../../domain/message/preferences/quiet-hours.ts';

const MINUTE_MS = 60_000;
const SPREAD_MS = 10 * MINUTE_MS;
const DAY_MS = 86_400_000;

/** Without summer time, with it in both halves of the world, by half an hour, over midnight, with offsets of 30 and 45 minutes. */
const zones = [
  'Asia/Tashkent',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Santiago',
  'Africa/Cairo',
  'Asia/Kathmandu',
  'America/St_Johns',
  'UTC',
];
/** Days on which some of them change their clocks, with the nights before and after, and a plain one. */
const days = [
  '2026-03-08',
  '2026-03-29',
  '2026-04-04',
  '2026-04-24',
  '2026-09-06',
  '2026-10-03',
  '2026-10-25',
]
  .concat('2026-10-29', '2026-11-01', '2026-07-15')
  .map((day) => Date.parse(`${day}T00:00:00Z`));

/** Numerical Recipes' LCG: the same matrix at each run, and a seed that a failure names. */
function lottery(seed: number) {
  let state = seed;
  const draw = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  const below = (n: number) => Math.floor(draw() * n);
  return { draw, below, of: <T>(all: readonly T[]): T => all[below(all.length)] as T };
}

/** The clock on the wall as a text, by another way than the code under test. */
const walls = new Map<string, Intl.DateTimeFormat>();
function shown(zone: string, ms: number): string {
  const clock =
    walls.get(zone) ??
    new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hour12: false });
  walls.set(zone, clock);
  return clock.format(ms).replace('24:', '00:');
}
const clockText = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
const isQuiet = ({ fromMinute, toMinute }: QuietHours, zone: string, ms: number): boolean => {
  const [now, from, to] = [shown(zone, ms), clockText(fromMinute), clockText(toMinute)];
  return from < to ? from <= now && now < to : from <= now || now < to;
};

/** Walks on minute by minute until the wall shows a time that is not quiet. */
function walkedEnd(quiet: QuietHours, zone: string, at: number): number | null {
  if (!isQuiet(quiet, zone, at)) return null;
  let ms = Math.floor(at / MINUTE_MS) * MINUTE_MS;
  while (isQuiet(quiet, zone, ms)) ms += MINUTE_MS;
  return ms;
}

interface Expected {
  readonly kind: Wish['kind'];
  readonly reason?: string;
  readonly earliest?: number;
}

/** What the words of the preferences say, in their order, by the walk above. */
function oracle(preferences: Preferences, message: MessageFacts, at: number): Expected {
  if (preferences.optedOutAt) return { kind: 'not', reason: 'recipient-opted-out' };
  if (message.isCritical) return { kind: 'send' };
  if (preferences.categoriesOff.some((off) => off === message.category))
    return { kind: 'not', reason: 'category-off' };
  const end =
    preferences.quietHours && walkedEnd(preferences.quietHours, preferences.timeZone ?? 'Asia/Tashkent', at);
  if (end === null) return { kind: 'send' };
  return end >= message.deadlineAt.getTime()
    ? { kind: 'not', reason: 'quiet-hours' }
    : { kind: 'wait', earliest: end };
}

function drawn(random: ReturnType<typeof lottery>) {
  const at = random.of(days) + random.below(2 * 1_440) * MINUTE_MS - DAY_MS / 2 + random.below(60_000);
  const fromMinute = random.below(1_440);
  const quietHours = { fromMinute, toMinute: (fromMinute + 1 + random.below(1_439)) % 1_440 };
  const preferences: Preferences = {
    optedOutAt: random.below(8) === 0 ? new Date(0) : null,
    categoriesOff: random.of([[], [], ['marketing'], ['account', 'marketing'], ['service']]),
    quietHours: random.below(6) === 0 ? null : quietHours,
    timeZone: random.of([...zones, null]),
  };
  const message: MessageFacts = {
    category: random.of(['service', 'account', 'marketing']),
    isCritical: random.below(4) === 0,
    deadlineAt: new Date(at + 1 + random.below(36 * 3_600_000)),
    share: random.draw(),
  };
  return { preferences, message, at };
}

test('category × hour × zone × priority: 6 000 cases, each as the slow walk over the minutes says', () => {
  const random = lottery(20_261_129);
  const met = new Map<string, number>();
  for (let n = 0; n < 6_000; n++) {
    const { preferences, message, at } = drawn(random);
    const wish = decideWish(preferences, message, new Date(at));
    const expected = oracle(preferences, message, at);
    const named = JSON.stringify({ n, preferences, message, at: new Date(at) });
    const until = wish.kind === 'wait' ? wish.until.getTime() : Number.NaN;
    const { earliest, ...said } = expected;
    expect({ kind: wish.kind, ...(wish.kind === 'not' && { reason: wish.reason }) }, named).toEqual(said);
    const kept =
      earliest === undefined ||
      (until >= earliest &&
        until < earliest + SPREAD_MS &&
        until <= message.deadlineAt.getTime() &&
        until > at);
    expect(kept, `${named} waits until ${until}, and not from ${earliest}`).toBe(true);
    const key = said.reason ?? said.kind;
    met.set(key, (met.get(key) ?? 0) + 1);
  }
  // Every way out was met often enough to mean something.
  for (const key of ['send', 'wait', 'recipient-opted-out', 'category-off', 'quiet-hours'])
    expect(met.get(key) ?? 0, key).toBeGreaterThan(200);
});

test('what waits leaves within quiet hours for nobody: it is asked again, and sent', () => {
  const random = lottery(7);
  let waited = 0;
  for (let n = 0; n < 3_000; n++) {
    const { preferences, message, at } = drawn(random);
    const first = decideWish(preferences, message, new Date(at));
    if (first.kind !== 'wait') continue;
    waited++;
    const zone = preferences.timeZone ?? 'Asia/Tashkent';
    let again: Wish = first;
    // A clock that is set back may make it quiet once more.
    for (let tries = 0; again.kind === 'wait' && tries < 3; tries++)
      again = decideWish(preferences, { ...message, deadlineAt: new Date(at + 9 * DAY_MS) }, again.until);
    expect(again.kind, JSON.stringify({ preferences, message, at, zone })).toBe('send');
  }
  expect(waited).toBeGreaterThan(300);
});

describe('clocks that change', () => {
  const minutes = (from: string, to: string): QuietHours => ({
    fromMinute: Number(from.slice(0, 2)) * 60 + Number(from.slice(3)),
    toMinute: Number(to.slice(0, 2)) * 60 + Number(to.slice(3)),
  });
  test.each([
    // 2026-03-29, 02:00 becomes 03:00 in Berlin: 02:30 is never shown.
    ['an end in the gap', 'Europe/Berlin', '22:00', '02:30', '2026-03-29T00:59:30Z', '2026-03-29T01:00:00Z'],
    ['over the gap', 'Europe/Berlin', '22:00', '08:00', '2026-03-28T23:00:00Z', '2026-03-29T06:00:00Z'],
    // 2026-10-25, 03:00 becomes 02:00.
    ['over the overlap', 'Europe/Berlin', '22:00', '08:00', '2026-10-24T23:00:00Z', '2026-10-25T07:00:00Z'],
    [
      'an end in the overlap, first',
      'Europe/Berlin',
      '22:00',
      '02:30',
      '2026-10-25T00:10:00Z',
      '2026-10-25T00:30:00Z',
    ],
    [
      'an end in the overlap, again',
      'Europe/Berlin',
      '22:00',
      '02:30',
      '2026-10-25T01:10:00Z',
      '2026-10-25T01:30:00Z',
    ],
    [
      'a whole overlap that is quiet',
      'Europe/Berlin',
      '02:00',
      '03:00',
      '2026-10-25T00:10:00Z',
      '2026-10-25T02:00:00Z',
    ],
    ['half an hour', 'Australia/Lord_Howe', '22:00', '07:00', '2026-04-04T13:00:00Z', '2026-04-04T20:30:00Z'],
  ])('%s', (_what, zone, from, to, at, end) => {
    expect(quietEnd(minutes(from, to), zone, new Date(at))?.toISOString()).toBe(new Date(end).toISOString());
  });
  test('outside of them nothing ends', () => {
    expect(quietEnd(minutes('22:00', '08:00'), 'Asia/Tashkent', new Date('2026-07-15T05:00:00Z'))).toBeNull();
  });
});

test('eight o’clock is no stampede: a night’s messages leave evenly over ten minutes', () => {
  const preferences = { ...NO_PREFERENCES, quietHours: { fromMinute: 22 * 60, toMinute: 8 * 60 } };
  const now = new Date('2026-07-15T20:00:00Z');
  const perMinute = new Map<number, number>();
  for (let n = 0; n < 10_000; n++) {
    const id = `01990000-0000-7000-8000-0000${(Math.imul(n + 1, 2_654_435_761) >>> 0).toString(16).padStart(8, '0')}`;
    const facts = { category: 'service', isCritical: false, deadlineAt: new Date(now.getTime() + DAY_MS) };
    const wish = decideWish(preferences, { ...facts, share: shareOf(id) }, now);
    const minute =
      wish.kind === 'wait'
        ? Math.floor((wish.until.getTime() - Date.parse('2026-07-16T03:00:00Z')) / MINUTE_MS)
        : -1;
    perMinute.set(minute, (perMinute.get(minute) ?? 0) + 1);
  }
  expect([...perMinute.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const count of perMinute.values()) expect(count).toBeLessThan(1_200);
});

test('of several who share a chat, whoever wants least decides', () => {
  const message = {
    category: 'news',
    isCritical: false,
    deadlineAt: new Date('2026-07-17T00:00:00Z'),
    share: 0,
  };
  const now = new Date('2026-07-15T20:00:00Z');
  const night = { ...NO_PREFERENCES, quietHours: { fromMinute: 22 * 60, toMinute: 8 * 60 } };
  const late = { ...NO_PREFERENCES, quietHours: { fromMinute: 22 * 60, toMinute: 9 * 60 } };
  const off = { ...NO_PREFERENCES, categoriesOff: ['news'] };
  expect(decideWishes([], message, now)).toEqual({ kind: 'send' });
  expect(decideWishes([NO_PREFERENCES, night, late], message, now)).toEqual({
    kind: 'wait',
    until: new Date('2026-07-16T04:00:00Z'),
  });
  expect(decideWishes([night, off], message, now)).toEqual({ kind: 'not', reason: 'category-off' });
});
