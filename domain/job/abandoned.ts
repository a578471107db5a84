/** How long a ticket stays its worker's without a sign of life (`infra/queue/queue-worker.ts`): younger attempts have a living worker. */
const TICKET_LOCK_MS = 5_000;

/**
 * Was the attempt that stands open left by a dead worker? Not when it was opened after this ticket was taken: then we stood
 * still, and another worker was given the job. Nor when it is younger than a ticket's lock: then it was Redis, wiped or
 * restored, that gave the ticket twice, and whoever opened it may be sending now.
 */
export function isAbandoned(openSince: Date | null, takenAt: Date): boolean {
  return openSince !== null && takenAt.getTime() - openSince.getTime() >= TICKET_LOCK_MS;
}
