import { expect, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import type { SingleJob } from '../../../domain/job/single.ts';
import { singleWake } from '../../../workers/engine/single.ts';

const NOW = new Date('2026-01-15T20:00:00Z');
const MORNING = new Date('2026-01-16T03:04:05Z');
const id = 'j' as JobId;

/** A worker whose provider and attempts nobody may touch. */
function workerOf(job: Partial<SingleJob<object>>) {
  const told: unknown[][] = [];
  const tell =
    (what: string) =>
    async (...of: unknown[]) =>
      void told.push([what, ...of]);
  const read = { id, past: [], finished: false, paused: false, openSince: null, attemptsMade: 2, ...job };
  const store = { postpone: tell('postpone'), finish: tell('finish'), open: tell('open') };
  const wake = singleWake({
    definition: { attemptsMax: 5, delaysMs: [1_000], unknownMax: 2, attemptTimeoutMs: 1_000 },
    read: async () => read as never,
    store: store as never,
    providerOf: () => {
      throw new Error('the provider was asked');
    },
    now: () => NOW,
    random: () => 0,
    onAttempt: () => undefined,
    onFinished: () => undefined,
  });
  return { told, wake: () => wake(id, new AbortController().signal) };
}

test('a job that must not be done yet sleeps until it may, and opens no attempt', async () => {
  const deadlineAt = new Date('2026-01-16T20:00:00Z');
  const { told, wake } = workerOf({ runAt: NOW, deadlineAt, work: { postponedTo: MORNING } });
  expect(await wake()).toEqual({ kind: 'waiting', until: MORNING, failed: null });
  expect(told).toEqual([['postpone', id, 2, MORNING]]);
});

test('one whose deadline has passed meanwhile ends', async () => {
  const { told, wake } = workerOf({ runAt: NOW, deadlineAt: NOW, work: { postponedTo: MORNING } });
  expect(await wake()).toMatchObject({ kind: 'finished', state: 'expired' });
  expect(told).toEqual([['finish', id, 'expired', 'deadline']]);
});
