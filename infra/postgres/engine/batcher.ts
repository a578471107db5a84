import pg from 'pg';
import { MissingKeyError } from '../../process/crypto.ts';
import { batchSize } from '../../process/metrics.ts';

export interface BatcherOptions<In, Out> {
  /** Label of its metrics. */
  readonly name: string;
  /** Most items one statement carries: its parameters and its locks stay small. */
  readonly sizeMax: number;
  /** Batches under way at once: what arrives meanwhile forms the next one. */
  readonly inFlightMax: number;
  /** How long the first item waits for others; default 0, for work that a person waits for. */
  readonly gatherMs?: number | undefined;
  /** Answers in the order of the items. */
  readonly run: (items: readonly In[]) => Promise<readonly Out[]>;
}

/** Of the batches on a call's way: before it is made, and after. */
export interface GatherMs {
  readonly before: number;
  readonly after: number;
}
export const NO_GATHERING: GatherMs = { before: 0, after: 0 };

interface Waiting<In, Out> {
  readonly item: In;
  readonly resolve: (out: Out) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Joins calls that arrive together into one `run`. Idle, it adds no delay; under load its batches grow by themselves.
 * A batch that fails for one of its items is run again item by item, so that this one fails alone.
 */
export function batcher<In, Out>({
  name,
  sizeMax,
  inFlightMax,
  gatherMs = 0,
  run,
}: BatcherOptions<In, Out>): (item: In) => Promise<Out> {
  let waiting: Waiting<In, Out>[] = [];
  let inFlight = 0;
  let scheduled = false;

  const schedule = () => {
    if (scheduled || inFlight >= inFlightMax || waiting.length === 0) return;
    scheduled = true;
    if (gatherMs > 0 && waiting.length < sizeMax) setTimeout(start, gatherMs);
    // After this turn of the event loop: all requests that one read from the sockets brought are in.
    else setImmediate(start);
  };
  const start = () => {
    scheduled = false;
    const batch = waiting.slice(0, sizeMax);
    waiting = waiting.slice(sizeMax);
    inFlight++;
    schedule();
    void settle(name, batch, run).finally(() => {
      inFlight--;
      schedule();
    });
  };

  return (item) =>
    new Promise<Out>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      schedule();
    });
}

async function settle<In, Out>(
  name: string,
  batch: readonly Waiting<In, Out>[],
  run: BatcherOptions<In, Out>['run'],
): Promise<void> {
  batchSize.observe({ batch: name }, batch.length);
  try {
    const outs = await run(batch.map(({ item }) => item));
    for (const [index, { resolve }] of batch.entries()) resolve(outs[index] as Out);
  } catch (error) {
    if (batch.length === 1 || !isOfAnItem(error)) for (const { reject } of batch) reject(error);
    else for (const one of batch) await settle(name, [one], run);
  }
}

/**
 * Postgres refused something in the batch, or something in it needs a key that this process lacks. A lost connection is nobody's
 * fault, and says nothing of what was committed.
 */
function isOfAnItem(error: unknown): boolean {
  if (error instanceof MissingKeyError) return true;
  // Classes 08 (connection), 53 (resources) and 57 (shutdown, cancelled) concern the server, not an item.
  return error instanceof pg.DatabaseError && !/^(08|53|57)/.test(error.code ?? '');
}
