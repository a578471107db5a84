/** How long a queue entry stays its worker's without a sign of life (`infra/queue/queue-worker.ts`): younger attempts have a living worker. */
const ENTRY_LOCK_MS = 5_000;

/**
 * Was the attempt that stands open left by a dead worker? Not when it was opened after this queue entry was taken: then we stood
 * still, and another worker was given the job. Nor when it is younger than a queue entry's lock: then it was Redis, wiped or
 * restored, that gave the queue entry twice, and whoever opened it may be sending now.
 */
export function isAbandoned(openSince: Date | null, takenAt: Date): boolean {
  return openSince !== null && takenAt.getTime() - openSince.getTime() >= ENTRY_LOCK_MS;
}
