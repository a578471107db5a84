import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  SUBSCRIBERS_MAX,
  SUBSCRIBERS_PER_KEY_MAX,
  SUBSCRIBERS_PER_PROJECT_MAX,
  subscribers,
  type Following,
} from '../../../../apps/api/verify/event-stream-subscribers.ts';
import { ProjectId } from '../../../../domain/shared/ids.ts';
import type { LiveState } from '../../../../domain/verify/live-state.ts';

const live = (id: string): LiveState => ({ id, status: 'live', approval: null });
const newProject = () => ProjectId.parse(randomUUID());
const newKey = (projectId = newProject()) => ({ keyId: randomUUID(), projectId });
const key = newKey();

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Follows over states that the test sets, and counts the looks. */
function open() {
  const states = new Map<string, LiveState>();
  const looks: string[][] = [];
  let failing = false;
  const crowd = subscribers({
    states: {
      read: async (ids) => {
        looks.push([...ids]);
        if (failing) throw new Error('Postgres is away');
        return ids.flatMap((id) => states.get(id) ?? []);
      },
    },
    now: () => new Date(),
    onError: () => undefined,
  });
  const fail = (is: boolean) => {
    failing = is;
  };
  return { states, looks, fail, ...crowd };
}

function listen(following: ReturnType<ReturnType<typeof open>['follow']>) {
  if (typeof following === 'string') throw new Error(following);
  const heard: string[] = [];
  const gone = new AbortController();
  const ended = (async (follow: Following) => {
    for await (const text of follow(gone.signal)) heard.push(text);
  })(following);
  return { heard, ended, leave: () => gone.abort() };
}

describe('subscribers of a process', () => {
  test('are told by one look for all of them', async () => {
    const { states, looks, follow } = open();
    const all = ['a', 'b', 'a'].map((id) => {
      states.set(id, live(id));
      return listen(follow(key, live(id), null));
    });
    await vi.advanceTimersByTimeAsync(250);
    expect(looks).toEqual([['a', 'b']]);
    states.set('a', { ...live('a'), status: 'approved' });
    await vi.advanceTimersByTimeAsync(250);
    await Promise.all([all[0]?.ended, all[2]?.ended]);
    expect(all.map(({ heard }) => heard.join('').match(/"status":"\w+"/g))).toEqual([
      ['"status":"live"', '"status":"approved"'],
      ['"status":"live"'],
      ['"status":"live"', '"status":"approved"'],
    ]);
  });

  test('cost nothing once the last one has left', async () => {
    const { states, looks, follow } = open();
    states.set('a', live('a'));
    const one = listen(follow(key, live('a'), null));
    await vi.advanceTimersByTimeAsync(250);
    one.leave();
    await one.ended;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(looks.length).toBeLessThanOrEqual(2);
    expect(vi.getTimerCount()).toBe(0);
    expect(typeof follow(key, live('a'), null)).toBe('function');
  });

  test('hear a heartbeat while nothing changes, and are kept over a database that is away', async () => {
    const { states, fail, follow } = open();
    states.set('a', live('a'));
    const one = listen(follow(key, live('a'), null));
    await vi.advanceTimersByTimeAsync(16_000);
    expect(one.heard.filter((text) => text.startsWith(':'))).toHaveLength(1);
    fail(true);
    await vi.advanceTimersByTimeAsync(3_000);
    fail(false);
    states.set('a', { ...live('a'), status: 'expired' });
    await vi.advanceTimersByTimeAsync(2_000);
    await one.ended;
    expect(one.heard.at(-1)).toContain('"status":"expired"');
  });

  test('are bounded for each key and in all, and each that leaves makes room', () => {
    const { follow } = open();
    for (let n = 0; n < SUBSCRIBERS_PER_KEY_MAX; n++)
      expect(typeof follow(key, live('a'), null)).toBe('function');
    expect(follow(key, live('a'), null)).toBe('key-full');
    for (let n = SUBSCRIBERS_PER_KEY_MAX; n < SUBSCRIBERS_MAX; n++) follow(newKey(), live('a'), null);
    expect(follow(newKey(), live('a'), null)).toBe('full');
  });

  test('are bounded for all keys of a project together, and its neighbours have room', async () => {
    const { follow } = open();
    const projectId = newProject();
    const keyOf = (n: number) => ({ ...newKey(projectId), keyId: `key ${n % 3}` });
    const last = listen(follow(keyOf(0), live('a'), null));
    for (let n = 1; n < SUBSCRIBERS_PER_PROJECT_MAX; n++)
      expect(typeof follow(keyOf(n), live('a'), null)).toBe('function');
    expect(follow(keyOf(0), live('a'), null)).toBe('project-full');
    expect(typeof follow(newKey(), live('a'), null)).toBe('function');
    last.leave();
    await last.ended;
    expect(typeof follow(keyOf(0), live('a'), null)).toBe('function');
    expect(SUBSCRIBERS_PER_PROJECT_MAX).toBeLessThan(SUBSCRIBERS_MAX);
  });

  test('are ended together, and nobody comes after', async () => {
    const { follow, close } = open();
    const all = ['a', 'b'].map((id) => listen(follow(key, live(id), null)));
    close();
    await Promise.all(all.map(({ ended }) => ended));
    expect(follow(key, live('a'), null)).toBe('full');
    expect(vi.getTimerCount()).toBe(0);
  });
});
