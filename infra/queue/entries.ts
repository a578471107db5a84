import type { BulkJobOptions, Queue } from 'bullmq';
import type { QueueEntry } from '../../domain/job/job.ts';
import type { JobId } from '../../domain/shared/ids.ts';
import { type JobDefinition, safeLabels } from '../../domain/job/define-job.ts';
import { batchSize } from '../process/metrics.ts';
import { queueOf, type Queues } from './queues.ts';

/** A queue entry that sleeps until `runAt`. */
export interface DueEntry extends QueueEntry {
  readonly runAt: Date;
}

/** Postgres counts attempts; BullMQ's own count, which falls back after a crash, must never be the one that stops. */
const BULLMQ_ATTEMPTS = 1_000_000;
/** An operator looks at the last hours; the record is in Postgres. */
const KEEP_COMPLETED = { age: 3_600, count: 10_000 };
const KEEP_FAILED = { age: 7 * 86_400, count: 50_000 };

const entryOptions = ({ keepsEnded = true }: JobDefinition): BulkJobOptions => ({
  attempts: BULLMQ_ATTEMPTS,
  backoff: { type: 'custom' },
  removeOnComplete: keepsEnded ? KEEP_COMPLETED : true,
  removeOnFail: keepsEnded ? KEEP_FAILED : true,
});

/**
 * Adds queue entries; one that BullMQ still keeps under its id is left as it is, and so is a job of a kind that this process
 * doesn't have.
 */
export async function addEntries(queues: Queues, entries: readonly DueEntry[], now: Date): Promise<void> {
  if (entries.length === 0) return;
  batchSize.observe({ batch: 'publish' }, entries.length);
  const byKind = Map.groupBy(entries, ({ kind }) => kind);
  await Promise.all(
    [...byKind].map(async ([kind, ofKind]) => {
      const [queue, definition] = [queues.of[kind], queues.jobs[kind]];
      if (!queue || !definition) return;
      await queue.addBulk(
        ofKind.map(({ jobId, labels, runAt }) => {
          const delay = runAt.getTime() - now.getTime();
          return {
            name: kind,
            data: { jobId, kind, labels: safeLabels(definition, labels) },
            opts: { ...entryOptions(definition), jobId, ...(delay > 0 ? { delay } : {}) },
          };
        }),
      );
    }),
  );
}

/**
 * Issues queue entries for unfinished rows that may have lost theirs. A queue entry that BullMQ keeps as finished is removed first, or
 * it would shadow the new one; one that sleeps on although its row is due, because a callback came while Redis was away or a
 * sandbox's clock was moved, is woken; one that waits, sleeps or runs is left alone. Safe to repeat.
 *
 * @returns how many had none.
 */
export async function reissueEntries(
  queues: Queues,
  entries: readonly DueEntry[],
  now: Date,
): Promise<number> {
  const missing: DueEntry[] = [];
  for (const [kind, ofKind] of Map.groupBy(entries, ({ kind }) => kind)) {
    const queue = queues.of[kind];
    if (!queue) continue;
    const standing = await standingOf(queues, queue, ofKind, now);
    await Promise.all(
      ofKind.filter((_, index) => standing[index] === 'ended').map(({ jobId }) => queue.remove(jobId)),
    );
    await Promise.all(
      ofKind.filter((_, index) => standing[index] === 'overslept').map(({ jobId }) => promote(queue, jobId)),
    );
    missing.push(
      ...ofKind.filter((_, index) => standing[index] === 'ended' || standing[index] === 'missing'),
    );
  }
  await addEntries(queues, missing, now);
  return missing.length;
}

type Standing = 'alive' | 'overslept' | 'ended' | 'missing';

/** A row that is due may be ahead of its queue entry for so long: it is being put to sleep, or woken, just now. */
const OVERSLEPT_MS = 2_000;
/** BullMQ's score of a sleeping queue entry is its time in ms, shifted by 12 bits. */
const DELAYED_SCORE_PER_MS = 4_096;

/**
 * One command for each queue entry, and a second one only for those whose row is overdue: of a backlog that sleeps as it should
 * there are none. BullMQ sets `finishedOn` with a queue entry's end, and takes it away where it is tried again.
 */
async function standingOf(
  queues: Queues,
  queue: Queue<QueueEntry>,
  entries: readonly DueEntry[],
  now: Date,
): Promise<Standing[]> {
  const held = await pipelined(queues, entries, (pipeline, { jobId }) =>
    pipeline.hmget(queue.toKey(jobId), 'timestamp', 'finishedOn'),
  );
  const standing = held.map((fields): Standing => {
    const [timestamp, finishedOn] = fields as (string | null)[];
    if (timestamp === null) return 'missing';
    return finishedOn === null ? 'alive' : 'ended';
  });
  const isOverdue = ({ runAt }: DueEntry) => runAt.getTime() <= now.getTime() - OVERSLEPT_MS;
  const overdue = [...entries.entries()].filter(
    ([at, entry]) => standing[at] === 'alive' && isOverdue(entry),
  );
  const sleeps = await pipelined(queues, overdue, (pipeline, [, { jobId }]) =>
    pipeline.zscore(queue.toKey('delayed'), jobId),
  );
  for (const [place, [at]] of overdue.entries()) {
    const sleepsUntilMs = Number(sleeps[place] ?? 0) / DELAYED_SCORE_PER_MS;
    // Redis sleeps by the machine's clock, from which a sandbox's may have been moved away.
    if (sleepsUntilMs > Date.now() + OVERSLEPT_MS) standing[at] = 'overslept';
  }
  return standing;
}

/** Asks Redis one thing of each item, all in one pipeline. */
async function pipelined<Item>(
  { redis }: Queues,
  items: readonly Item[],
  ask: (pipeline: ReturnType<typeof redis.pipeline>, item: Item) => unknown,
): Promise<unknown[]> {
  if (items.length === 0) return [];
  const pipeline = redis.pipeline();
  for (const item of items) ask(pipeline, item);
  const replies = (await pipeline.exec()) ?? [];
  return items.map((_, index) => {
    const [error, value] = replies[index] ?? [new Error('no reply')];
    if (error) throw error;
    return value;
  });
}

/** It may wake by itself, or go, between two calls. */
const promote = (queue: Queue<QueueEntry>, jobId: JobId): Promise<void> =>
  queue
    .getJob(jobId)
    .then((job) => job?.promote())
    .catch(() => undefined);

/** How often, and how far apart, a wake-up is repeated for a queue entry that is just being put to sleep. */
const WAKE_TRIES = 4;
const WAKE_GAP_MS = 50;

/** Wakes a sleeping queue entry now. One that waits or runs needs no waking; one that is gone is the reconciler's to find. */
export async function wakeEntry(queues: Queues, kind: string, jobId: JobId): Promise<void> {
  const queue = queueOf(queues, kind);
  for (let tries = 1; tries <= WAKE_TRIES; tries++) {
    const state = await queue.getJobState(jobId);
    if (state === 'delayed') return promote(queue, jobId);
    if (state !== 'active') return;
    await new Promise((resolve) => setTimeout(resolve, WAKE_GAP_MS * tries));
  }
}
