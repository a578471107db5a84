import type { BatchesDue } from '../../domain/pay/batch/port.ts';
import type { PayoutsDue } from '../../domain/pay/payout/port.ts';

/** A denied withdrawal gives its money back in its own commit; this is for what that could not do, and for what time has ended. */
const LOOK_MS = 1_000;
/** Of one look: each is a short transaction. */
const PAYOUTS_MAX = 500;
const BATCHES_MAX = 20;

export interface DueDeps {
  readonly payouts: PayoutsDue;
  readonly batches: BatchesDue;
  readonly onStarted: (batches: readonly string[]) => void;
}

/** Starts batches that were planned for now, and ends payouts that nobody confirmed or bound a card for in time. */
export function due({ payouts, batches, onStarted }: DueDeps): () => Promise<number> {
  return async () => {
    const started = await batches.run(BATCHES_MAX);
    if (started.length > 0) onStarted(started);
    await payouts.confirm(PAYOUTS_MAX);
    const expired = await payouts.expire(PAYOUTS_MAX);
    return expired.length === PAYOUTS_MAX ? 0 : LOOK_MS;
  };
}
