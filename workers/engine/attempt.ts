import type { AttemptOutcome } from '../../domain/job/job.ts';
import type { SendReply } from '../../domain/job/reply.ts';
import type { ClosedAttempt, ClosingAttempt, JobStore } from '../../domain/job/store.ts';

/** How a provider's reply ends the attempt that it answers. */
export function outcomeOf(reply: SendReply): {
  readonly outcome: AttemptOutcome;
  readonly reason: string | null;
  readonly retryAfterMs?: number;
} {
  switch (reply.kind) {
    case 'accepted':
      return { outcome: 'completed', reason: null };
    case 'refused':
      return { outcome: 'rejected', reason: reply.reason };
    case 'faulted':
      return { outcome: 'failed', reason: reply.reason, ...askedWait(reply) };
    case 'busy':
      return { outcome: 'snoozed', reason: reply.because, retryAfterMs: reply.retryAfterMs };
    case 'unknown':
      return { outcome: 'unknown', reason: reply.reason };
  }
}

export const askedWait = ({ retryAfterMs }: { readonly retryAfterMs?: number }) =>
  retryAfterMs === undefined ? {} : { retryAfterMs };

/** What the provider said beside the outcome: kept with the attempt. */
export const saidBy = (reply: SendReply) => ({
  detail: 'detail' in reply ? reply.detail : undefined,
  retryAfterMs: 'retryAfterMs' in reply ? reply.retryAfterMs : undefined,
});

/** Tries and pause of a close whose answer was lost: the message has left, so that calling it failed would be a lie. */
const CLOSE_TRIES = 5;
const CLOSE_PAUSE_MS = 300;

export async function closeSurely(store: JobStore, closing: ClosingAttempt): Promise<ClosedAttempt> {
  for (let tries = 1; ; tries++) {
    try {
      return await store.close(closing);
    } catch (error) {
      if (tries === CLOSE_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, CLOSE_PAUSE_MS * 2 ** (tries - 1)));
    }
  }
}
