import { expect, test } from 'vitest';
import type { SingleJob } from '../../../domain/job/single.ts';
import type { SendReply } from '../../../domain/job/reply.ts';
import type { PushWork } from '../../../domain/message/broadcast/work.ts';
import { lastLook } from '../../../workers/message/last-look.ts';
import { wantedPushes } from '../../../workers/message/push.ts';

const NOW = new Date('2026-01-15T10:00:00Z');
const jobId = 'j' as PushWork['jobId'];
const staleWork = () => ({ jobId, readAtMs: performance.now() - 300 });
const looking = (work: SingleJob<PushWork>['work'] | Error) => {
  let looks = 0;
  const read = async () => {
    looks++;
    if (work instanceof Error) throw work;
    return { work } as SingleJob<PushWork>;
  };
  return { look: lastLook(read, () => NOW), looks: () => looks };
};

test('what was read a moment ago is not read again', async () => {
  const { look, looks } = looking({ settled: 'rejected', reason: 'category-off' });
  expect(await look({ jobId, readAtMs: performance.now() })).toBeNull();
  expect(looks()).toBe(0);
});

test.each([
  ['is wanted still', { jobId } as PushWork, null],
  ['was cancelled, and is in hand', { settled: 'cancelled', reason: 'broadcast-cancelled' } as const, null],
  [
    'is not wanted any more: refused, and the address lives',
    { settled: 'rejected', reason: 'category-off' } as const,
    { kind: 'refused', reason: 'category-off', addressIsDead: false },
  ],
  [
    'has met quiet hours: asked again when they end, at no cost of an attempt',
    { postponedTo: new Date('2026-01-15T10:00:05Z') },
    { kind: 'busy', because: 'own-pace', retryAfterMs: 5_000 },
  ],
  [
    'cannot be looked up: nothing has left, and it asks again',
    new Error('connection lost'),
    { kind: 'busy', because: 'own-pace', retryAfterMs: 1_000 },
  ],
])('a message that stood in line and %s', async (_what, work, reply) => {
  const { look, looks } = looking(work);
  expect(await look(staleWork())).toEqual(reply);
  expect(looks()).toBe(1);
});

test.each([
  ['whose job is gone', null, 'no-such-job'],
  ['whose job was finished meanwhile', { work: null, finished: true, reason: 'deadline' }, 'deadline'],
  ['that can no longer be read', { work: null, finished: false, reason: null }, 'payload-unreadable'],
])('a message %s is not sent', async (_what, job, reason) => {
  const look = lastLook(
    async () => job as SingleJob<PushWork> | null,
    () => NOW,
  );
  expect(await look(staleWork())).toEqual({ kind: 'refused', reason, addressIsDead: false });
});

test('a push that is not wanted any more is not sent', async () => {
  let sent = 0;
  const sender = {
    channel: 'push',
    provider: 'fcm',
    send: async (): Promise<SendReply> => {
      sent++;
      return { kind: 'accepted', reference: '1', cost: null };
    },
  } as const;
  const { look } = looking({ settled: 'rejected', reason: 'recipient-opted-out' });
  const pushes = wantedPushes(sender, look);
  const work = { to: { topic: 'x' }, recipientId: null, content: {} } as never as PushWork;
  const signal = new AbortController().signal;
  expect(await pushes.send({ ...work, ...staleWork() }, signal)).toMatchObject({ kind: 'refused' });
  expect(sent).toBe(0);
  expect(await pushes.send({ ...work, jobId, readAtMs: performance.now() }, signal)).toMatchObject({
    kind: 'accepted',
  });
});
