import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type FollowEnd,
  subscribers,
  SUBSCRIBERS_MAX,
  SUBSCRIBERS_PER_PERSON_MAX,
  type LiveEvent,
  LOOK_EVERY_MS,
  LOOK_MS_MAX,
  SESSIONS_EVERY_LOOKS,
} from '../../../../../apps/api/earn/live/subscribers.ts';
import type { LiveTexts } from '../../../../../domain/earn/live/port.ts';

const NOON = new Date('2026-11-30T12:00:00Z');
const EMPTY: LiveTexts = { balance: '0', session: '[]', price: 'null', withdrawal: '[]' };

beforeEach(() => void vi.useFakeTimers({ now: NOON }));
afterEach(() => void vi.useRealTimers());

/** Follows over states that the test sets, and counts the looks. */
function open() {
  const states = new Map<string, LiveTexts>();
  const looks: string[][] = [];
  const errors: unknown[] = [];
  const ended = new Set<string>();
  /** What a look waits for before it answers. */
  const gate = { pass: Promise.resolve(), fails: false };
  const state = (person: string, change: Partial<LiveTexts> = {}) =>
    void states.set(person, { ...EMPTY, ...states.get(person), ...change });
  const crowd = subscribers({
    states: {
      texts: async (ids) => {
        looks.push([...ids]);
        const read = new Map(ids.map((id) => [id, states.get(id) ?? EMPTY]));
        await gate.pass;
        if (gate.fails) throw new Error('Postgres is away');
        return read;
      },
    },
    bodies: {
      balance: (text) => ({ text }),
      session: (text) => ({ text }),
      price: (text) => ({ text }),
      withdrawal: (text) => ({ text }),
    },
    standing: async (ids) => new Set(ids.filter((id) => !ended.has(id))),
    now: () => new Date(),
    onError: (error) => errors.push(error),
  });
  const listen = (personId: string, lastId: string | null = null, minutes = 10) => {
    const heard: LiveEvent[] = [];
    const ends: FollowEnd[] = [];
    const leave = crowd.follow(
      { personId, sessionId: `session of ${personId}`, tokenEndsAt: new Date(Date.now() + minutes * 60_000) },
      lastId,
      { tell: (event) => void heard.push(event), end: (why) => void ends.push(why) },
    );
    if (typeof leave === 'string') throw new Error(leave);
    return { heard, ends, leave, said: () => heard.splice(0).map(({ event, data }) => `${event} ${data}`) };
  };
  const seconds = (n: number) => vi.advanceTimersByTimeAsync(n * LOOK_EVERY_MS);
  return { ...crowd, state, looks, errors, ended, gate, listen, seconds };
}

describe('who follows', () => {
  test('is told each part whole, and then what changes, by one look a second for all', async () => {
    const { state, listen, looks, seconds } = open();
    state('a', { balance: '1' });
    const [a, again, b] = [listen('a'), listen('a'), listen('b')];
    await seconds(1);
    expect(a.said()).toEqual([
      'balance {"text":"1"}',
      'session {"text":"[]"}',
      'price {"text":"null"}',
      'withdrawal {"text":"[]"}',
    ]);
    expect(again.said()).toHaveLength(4);
    expect(b.said()[0]).toBe('balance {"text":"0"}');
    state('a', { balance: '2', price: '150' });
    await seconds(1);
    expect([a, again, b].map(({ said }) => said())).toEqual([
      ['balance {"text":"2"}', 'price {"text":"150"}'],
      ['balance {"text":"2"}', 'price {"text":"150"}'],
      [],
    ]);
    const before = looks.length;
    await seconds(5);
    expect(looks.slice(before)).toEqual(Array.from({ length: 5 }, () => ['a', 'b']));
  });

  test('and comes back with the last id is told nothing that they know, at another process too', async () => {
    const [first, second] = [open(), open()];
    for (const one of [first, second]) one.state('a', { balance: '1' });
    const one = first.listen('a');
    await first.seconds(1);
    const ids = one.heard.map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
    const same = second.listen('a', ids[3] ?? '');
    await second.seconds(3);
    expect(same.heard).toEqual([]);
    // The connection broke after the second of four.
    const broken = second.listen('a', ids[1] ?? '');
    await second.seconds(1);
    expect(broken.heard.map(({ event }) => event)).toEqual(['price', 'withdrawal']);
    expect(broken.heard.at(-1)?.id).toBe(ids[3]);
    for (const strange of ['', 'x', '....', 'a.b.c.d', '-.-.-.-', 'x'.repeat(8_000)]) {
      const stranger = second.listen('a', strange);
      await second.seconds(1);
      expect(stranger.heard).toHaveLength(4);
      stranger.leave();
    }
  });

  test('is not told what a look read before they came', async () => {
    const { state, listen, gate, seconds } = open();
    const { promise, resolve } = Promise.withResolvers<void>();
    gate.pass = promise;
    state('a', { balance: 'old' });
    const first = listen('a');
    await vi.advanceTimersByTimeAsync(10);
    state('a', { balance: 'new' });
    const later = listen('a');
    gate.pass = Promise.resolve();
    resolve();
    await vi.advanceTimersByTimeAsync(10);
    expect(first.said()[0]).toBe('balance {"text":"old"}');
    expect(later.heard).toEqual([]);
    await seconds(1);
    expect(later.said()[0]).toBe('balance {"text":"new"}');
    expect(first.said()).toEqual(['balance {"text":"new"}']);
  });

  test('hears nothing of a database that is away, and all of it once it is back', async () => {
    const { state, listen, gate, errors, looks, seconds } = open();
    const a = listen('a');
    await seconds(1);
    a.said();
    gate.fails = true;
    state('a', { balance: '5' });
    await seconds(10);
    expect([a.heard, a.ends, errors.length]).toEqual([[], [], 10]);
    gate.fails = false;
    await seconds(1);
    expect(a.said()).toEqual(['balance {"text":"5"}']);
    // One that hangs is not joined by another, and given up. What it says afterwards is told nobody.
    const before = looks.length;
    const { promise, resolve } = Promise.withResolvers<void>();
    gate.pass = promise;
    await seconds(10);
    expect(looks.length).toBe(before + 1);
    state('a', { balance: '6' });
    gate.pass = Promise.resolve();
    await seconds(LOOK_MS_MAX / LOOK_EVERY_MS);
    expect([a.said(), errors.length]).toEqual([['balance {"text":"6"}'], 11]);
    resolve();
    await seconds(1);
    expect(a.said()).toEqual([]);
  });

  test('costs nothing once the last one has left', async () => {
    const { listen, looks, seconds } = open();
    const a = listen('a');
    await seconds(1);
    a.leave();
    await seconds(1);
    const before = looks.length;
    await seconds(10);
    expect([looks.length, vi.getTimerCount()]).toEqual([before, 0]);
    const b = listen('b');
    await seconds(1);
    expect(b.heard).toHaveLength(4);
  });
});

describe('it ends', () => {
  test('with the token, while the database hangs too', async () => {
    const { listen, gate, seconds, looks } = open();
    const [short, long] = [listen('a', null, 1), listen('b', null, 10)];
    await seconds(1);
    gate.pass = new Promise(() => undefined);
    await seconds(58);
    expect(short.ends).toEqual([]);
    await seconds(2);
    expect([short.ends, long.ends]).toEqual([['token-ended'], []]);
    expect(looks.at(-1)).toEqual(['a', 'b']);
  });

  test('within seconds of the session’s end, for all of its connections, and nothing is told in that look', async () => {
    const { state, listen, ended, seconds } = open();
    const [a, b] = [listen('a'), listen('b')];
    await seconds(1);
    a.said();
    ended.add('session of a');
    await seconds(SESSIONS_EVERY_LOOKS);
    expect([a.ends, b.ends]).toEqual([['session-ended'], []]);
    state('a', { balance: '9' });
    await seconds(5);
    expect([a.heard, a.ends]).toEqual([[], ['session-ended']]);
  });

  test('for all where the process stops, and nobody comes after', async () => {
    const { listen, close } = open();
    const all = [listen('a'), listen('b')];
    await vi.advanceTimersByTimeAsync(10);
    close();
    expect(all.map(({ ends }) => ends)).toEqual([['restart'], ['restart']]);
    expect(() => listen('c')).toThrow('full');
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('of one person the newest follow: one more ends the oldest, and each that leaves makes room', async () => {
  const { listen, state, seconds } = open();
  const other = listen('b');
  const own = Array.from({ length: SUBSCRIBERS_PER_PERSON_MAX }, () => listen('a'));
  const fifth = listen('a');
  const ends = () => own.map((one) => one.ends);
  expect(ends()).toEqual([['replaced'], ...own.slice(1).map(() => [])]);
  own[0]?.leave();
  own[1]?.leave();
  own[1]?.leave();
  listen('a');
  expect(ends()).toEqual([['replaced'], ...own.slice(1).map(() => [])]);
  listen('a');
  expect([ends()[2], fifth.ends, other.ends]).toEqual([['replaced'], [], []]);
  await seconds(1);
  for (const one of [...own, fifth]) one.said();
  state('a', { balance: '1' });
  await seconds(1);
  expect([own[0], own[3], fifth].map((one) => one?.heard.length)).toEqual([0, 1, 1]);
});

test('there is room for so many in a process, and each that ends makes some', async () => {
  const { listen, seconds, ended } = open();
  listen('a');
  ended.add('session of a');
  await seconds(SESSIONS_EVERY_LOOKS + 1);
  for (let n = 0; n < SUBSCRIBERS_MAX; n++) listen(`person ${n}`);
  expect(() => listen('one more')).toThrow('full');
});
