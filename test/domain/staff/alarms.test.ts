import { describe, expect, test } from 'vitest';
import { type AlarmFacts, alarmsOf, type EndpointFacts } from '../../../domain/staff/alarms.ts';

const now = new Date('2026-01-15T10:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1_000);
const quiet: AlarmFacts = {
  waiting: [{ kind: 'push', jobs: 1, oldestDueAt: ago(30), oldestState: 'queued' }],
  heartbeats: [{ roles: ['push'], reconciledAt: ago(15), at: ago(15) }],
  queues: [{ kind: 'push', pausedAt: null, pausedBy: null, pausedReason: null }],
  endpoints: [],
  providers: [{ provider: 'fcm', attempts: 10, faults: 5 }],
  accounts: [
    { provider: 'eskiz', balanceMicros: '100000000000', currency: 'UZS', lowSince: null },
    { provider: 'play-mobile', balanceMicros: null, currency: 'UZS', lowSince: null },
  ],
};
const alarms = (facts: Partial<AlarmFacts>, kinds: readonly string[] = ['push']) =>
  alarmsOf({ ...quiet, ...facts }, kinds, now);
const names = (facts: Partial<AlarmFacts>, kinds?: readonly string[]) =>
  alarms(facts, kinds).map(({ alarm }) => alarm);
const endpoint = (more: Partial<EndpointFacts>): EndpointFacts => ({
  project: 'a b&c',
  host: 'example.com',
  endpointId: null,
  failingSince: null,
  disabledReason: null,
  disabledMeaning: null,
  stuck: 3,
  ...more,
});

test('what is at each of its bounds alarms nobody', () => {
  expect(alarms({})).toEqual([]);
});

describe('a worker', () => {
  test('is gone once three of its signs of life are missing, and a kind without one is named', () => {
    const heartbeat = { roles: ['push'], reconciledAt: null, at: ago(16) };
    const gone = alarms({
      heartbeats: [{ ...heartbeat, roles: ['other'], reconciledAt: now, at: now }, heartbeat],
    });
    expect(gone).toMatchObject([{ alarm: 'no-worker', subject: 'push', since: ago(16) }]);
    expect(
      alarms({ heartbeats: [{ ...heartbeat, reconciledAt: now, at: now }] }, ['push', 'webhook']),
    ).toMatchObject([{ alarm: 'no-worker', subject: 'webhook', since: null }]);
  });

  test('of a time that the sandbox’s clock was moved back from is no living one, nor was its round', () => {
    const future = { roles: ['push'], reconciledAt: ago(-3_600), at: ago(-3_600) };
    expect(names({ heartbeats: [future] })).toEqual(['no-worker', 'reconciler-stopped']);
    expect(names({ heartbeats: [future, { roles: ['push'], reconciledAt: now, at: now }] })).toEqual([]);
    expect(names({ heartbeats: [{ roles: ['push'], reconciledAt: ago(-15), at: ago(-15) }] })).toEqual([]);
  });

  test('that opens nothing of what is due for half a minute is told of, unless its queue is paused', () => {
    const waiting = [{ kind: 'push', jobs: 4, oldestDueAt: ago(31), oldestState: 'queued' as const }];
    expect(names({ waiting })).toEqual(['jobs-waiting']);
    const paused = alarms({
      waiting,
      queues: [{ kind: 'push', pausedAt: ago(60), pausedBy: 'ann@navbat.uz', pausedReason: 'a bad text' }],
    });
    expect(paused).toHaveLength(1);
    expect(paused[0]?.says).toBe('push is paused by ann@navbat.uz: a bad text.');
  });
});

test('rounds that stopped, or never were, are told of', () => {
  const [stopped] = alarms({ heartbeats: [{ roles: ['push'], reconciledAt: ago(16), at: now }] });
  expect(stopped?.since).toEqual(ago(16));
  const [never] = alarms({ heartbeats: [{ roles: ['push'], reconciledAt: null, at: now }] });
  expect(never?.alarm).toBe(stopped?.alarm);
  expect(never?.since).toBeNull();
});

test('a provider alarms with more than half of at least ten attempts failed', () => {
  for (const [attempts, faults, alarming] of [
    [9, 9, 0],
    [10, 5, 0],
    [10, 6, 1],
    [100, 51, 1],
  ] as const)
    expect(
      alarms({ providers: [{ provider: 'fcm', attempts, faults }] }),
      `${faults}/${attempts}`,
    ).toHaveLength(alarming);
});

describe('an endpoint', () => {
  test('alarms once nothing succeeded for a quarter of an hour', () => {
    expect(names({ endpoints: [endpoint({ failingSince: ago(15 * 60 - 1) })] })).toEqual([]);
    expect(names({ endpoints: [endpoint({ failingSince: ago(15 * 60) })] })).toEqual(['endpoint-failing']);
  });

  test('that was disabled alarms unless its owner did it', () => {
    const disabled = (disabledReason: EndpointFacts['disabledReason']) =>
      names({ endpoints: [endpoint({ disabledReason, disabledMeaning: 'It says so.' })] });
    expect(disabled('gone')).toEqual(['endpoint-disabled']);
    expect(disabled('failing')).toEqual(['endpoint-disabled']);
    expect(disabled('owner')).toEqual([]);
  });

  test('links to its project, whatever that is called', () => {
    const [alarm] = alarms({ endpoints: [endpoint({ failingSince: ago(3_600) })] });
    expect(new URL(alarm?.link ?? '', 'http://x').searchParams.get('project')).toBe('a b&c');
  });
});

test('an account that holds less than its threshold is told of, with what it holds', () => {
  const low = { provider: 'eskiz', balanceMicros: '99999500000', currency: 'UZS', lowSince: ago(60) };
  expect(alarms({ accounts: [low] })).toMatchObject([
    {
      alarm: 'balance-low',
      subject: 'eskiz',
      since: ago(60),
      says: 'The balance at eskiz is low: 99999 UZS.',
    },
  ]);
  expect(alarms({ accounts: [{ ...low, balanceMicros: '0' }] })[0]?.says).toBe(
    'The balance at eskiz is used up.',
  );
});
