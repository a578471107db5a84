import type { DispatchRounds } from '../../domain/pay/dispatch/port.ts';
import { eachStep } from './each-step.ts';

/** Dispatches of a rail that wait: what its workers do in some seconds. The others wait as items, which a pause leaves alone. */
const WAITING_MAX = 1_000;
/** Between two rounds while there is more to start, in which a fifth of those that wait may leave, and while there is nothing. */
const BUSY_MS = 250;
const IDLE_MS = 500;

/** Makes dispatches of the running batches, as fast as they are worked off. */
export function dispatching({ start }: Pick<DispatchRounds, 'start'>): () => Promise<number> {
  return async () => ((await start(WAITING_MAX)) > 0 ? BUSY_MS : IDLE_MS);
}

/** A job that was deleted by hand is missed for a moment; a batch is done some moments after its last payment. */
const KEEP_MS = 2_000;

export interface KeepDeps {
  readonly onRejobs: (count: number) => void;
  readonly onDone: (batches: readonly string[]) => void;
}

/** Finds payments that nothing works on, and batches of which nothing is left to do. */
export function housekeeping(
  { rejob, finishBatches }: Pick<DispatchRounds, 'rejob' | 'finishBatches'>,
  { onRejobs, onDone }: KeepDeps,
): () => Promise<number> {
  return async () => {
    await eachStep([
      async () => {
        const rejobs = await rejob();
        if (rejobs > 0) onRejobs(rejobs);
      },
      async () => {
        const done = await finishBatches();
        if (done.length > 0) onDone(done);
      },
    ]);
    return KEEP_MS;
  };
}
