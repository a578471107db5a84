import type { ReadWork } from '../../domain/message/broadcast/work.ts';
import type { SendReply } from '../../domain/job/reply.ts';
import type { SingleDeps } from '../engine/single.ts';

/**
 * 250 ms: an opt-out holds within one second of a message that stands in line for its turn, which may take some seconds. Within this
 * what was read with the job is taken as it was.
 */
const FRESH_MS = 250;
/** Postgres did not answer: nothing has left, and the message asks again. */
const AGAIN_MS = 1_000;

/** Asked when nothing is left to wait for: null where the message is still wanted, else what becomes of the attempt. */
export const lastLook =
  <Work extends ReadWork>(read: SingleDeps<Work>['read'], now: () => Date) =>
  async ({ jobId, readAtMs }: ReadWork): Promise<SendReply | null> => {
    if (performance.now() - readAtMs < FRESH_MS) return null;
    const job = await read(jobId).catch(() => 'away' as const);
    if (job === 'away') return later(AGAIN_MS);
    if (!job) return refused('no-such-job');
    const { work } = job;
    // Finished meanwhile, or not to be read any more: to send it would be nobody's wish.
    if (!work) return refused(job.finished ? (job.reason ?? 'rejected') : 'payload-unreadable');
    if ('postponedTo' in work) return later(work.postponedTo.getTime() - now().getTime());
    // A cancellation lets go what is in hand.
    return 'settled' in work && work.settled === 'rejected' ? refused(work.reason) : null;
  };

const refused = (reason: string): SendReply => ({ kind: 'refused', reason, addressIsDead: false });

const later = (ms: number): SendReply => ({
  kind: 'busy',
  because: 'own-pace',
  retryAfterMs: Math.max(0, ms),
});
