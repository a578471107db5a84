import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { QueueEntry } from '../../domain/job/job.ts';
import type { Wake, Woken } from '../../domain/job/wake.ts';
import { prefixOf } from './queues.ts';

/** A killed worker's queue entries are back within 6 s; its lock is renewed at half of this. */
const LOCK_MS = 5_000;
const STALLED_CHECK_MS = 2_000;
/** Postgres counts kills; BullMQ must not give a queue entry up that nobody looked at (facts.md). */
const STALLED_MAX = 1_000_000;
/** Between two reads of an empty queue. */
const DRAIN_DELAY_SECONDS = 2;
/** An unexpected error (Postgres away) is no attempt: the queue entry comes back after 1 s, 2 s … at the most 30 s. */
const SURPRISE_FIRST_MS = 1_000;
const SURPRISE_MAX_MS = 30_000;

export interface QueueWorkerOptions {
  readonly kind: string;
  readonly wake: Wake;
  readonly concurrency: number;
  /** By which `wake` tells times; BullMQ keeps the machine's own. */
  readonly clock?: () => Date;
  /** Blocking reads need a connection of their own, made by BullMQ from this one. */
  readonly connection: Redis;
  readonly onSurprise: (error: Error, jobId: string) => void;
  readonly onError: (error: Error) => void;
}

export interface QueueWorker {
  readonly kind: string;
  /** Takes no new queue entries, gives those in hand `graceMs`, then lets go: what is cut off comes back as a stalled queue entry. */
  drain(graceMs: number): Promise<void>;
}

export function startQueueWorker({
  kind,
  wake,
  concurrency,
  clock = () => new Date(),
  connection,
  onSurprise,
  onError,
}: QueueWorkerOptions): QueueWorker {
  const inHand = new Set<AbortController>();
  const worker = new Worker<QueueEntry>(
    kind,
    async (entry, token) => {
      const abort = new AbortController();
      inHand.add(abort);
      try {
        const woken = await wake(entry.data.jobId, abort.signal).catch((error: unknown) =>
          surprised(error, entry, onSurprise),
        );
        await tellBullmq(entry, token, woken, clock());
      } finally {
        inHand.delete(abort);
      }
    },
    {
      connection,
      prefix: prefixOf(kind),
      concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: STALLED_MAX,
      drainDelay: DRAIN_DELAY_SECONDS,
      settings: { backoffStrategy },
    },
  );
  worker.on('error', onError);
  return { kind, drain: (graceMs) => drain(worker, inHand, graceMs) };
}

/** Carries the row's own time of the next try into BullMQ's back-off, so that both wake the job at the same moment. */
class RetryAt extends Error {
  override readonly name = 'RetryAt';
  readonly delayMs: number;
  constructor(reason: string, delayMs: number) {
    super(reason);
    this.delayMs = delayMs;
  }
}

const backoffStrategy = (_made: number, _type?: string, error?: Error): number =>
  error instanceof RetryAt ? error.delayMs : SURPRISE_FIRST_MS;

/** The row is as it was, so the job is tried again later; it costs no attempt, since none was recorded. */
function surprised(
  error: unknown,
  entry: Job<QueueEntry>,
  onSurprise: QueueWorkerOptions['onSurprise'],
): never {
  onSurprise(error instanceof Error ? error : new Error('not an Error was thrown'), entry.data.jobId);
  const delayMs = Math.min(SURPRISE_MAX_MS, SURPRISE_FIRST_MS * 2 ** Math.min(entry.attemptsMade, 5));
  // The error's own text may hold anything, a statement's parameters even: a board shows only its kind.
  throw new RetryAt(`unexpected ${error instanceof Error ? error.name : 'error'}`, delayMs);
}

/** The one place that speaks BullMQ's language of exceptions. */
async function tellBullmq(
  entry: Job<QueueEntry>,
  token: string | undefined,
  woken: Woken,
  now: Date,
): Promise<void> {
  if (woken.kind === 'waiting') {
    const delayMs = Math.max(0, woken.until.getTime() - now.getTime());
    if (woken.failed !== null) throw new RetryAt(woken.failed, delayMs);
    await entry.moveToDelayed(Date.now() + delayMs, token);
    throw new DelayedError();
  }
  switch (woken.state) {
    case 'completed':
    case 'cancelled':
      return;
    case 'rejected':
    case 'failed':
    case 'expired':
      throw new UnrecoverableError(`${woken.state}: ${woken.reason ?? 'no reason'}`);
  }
}

/** `worker.close()` waits without end, and closing by force after it does nothing: so pause, wait, abort, then force. */
async function drain(
  worker: Worker<QueueEntry>,
  inHand: ReadonlySet<AbortController>,
  graceMs: number,
): Promise<void> {
  await worker.pause(true);
  const deadline = performance.now() + graceMs;
  while (inHand.size > 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
  for (const abort of inHand) abort.abort();
  await worker.close(inHand.size > 0);
}
const DRAIN_LOOK_MS = 25;
