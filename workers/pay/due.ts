import type { BatchesDue } from '../../domain/pay/batch/port.ts';
import type { PayoutsDue } from '../../domain/pay/payout/port.ts';
import { eachStep } from './each-step.ts';

/** What a device denied is given back within two seconds, where its own commit could not. */
const DUE_MS = 1_000;
/** While there is more of it. */
const BUSY_MS = 50;
/** Payouts of one round: what one post of the ledger takes. */
const PAYOUTS_MAX = 1_000;
const BATCHES_MAX = 10;

export interface DueDeps {
  readonly payouts: PayoutsDue;
  readonly batches: BatchesDue;
  readonly onStarted: (batches: readonly string[]) => void;
}

/** What time brings: answers of devices, payouts that nobody confirmed or bound a card for, planned starts, and rests that were cancelled. */
export function due({ payouts, batches, onStarted }: DueDeps): () => Promise<number> {
  return async () => {
    let isMore = false;
    await eachStep([
      () => payouts.confirm(PAYOUTS_MAX),
      async () => {
        if ((await payouts.expire(PAYOUTS_MAX)).length === PAYOUTS_MAX) isMore = true;
      },
      async () => {
        const started = await batches.run(BATCHES_MAX);
        if (started.length > 0) onStarted(started);
        if (started.length === BATCHES_MAX) isMore = true;
      },
      async () => {
        if ((await batches.cancel(BATCHES_MAX)) > 0) isMore = true;
      },
    ]);
    return isMore ? BUSY_MS : DUE_MS;
  };
}
