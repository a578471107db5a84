/** What the reconciler asks of Postgres and Redis; `infra/queue/reconciler-redis.ts` and `infra/postgres/job/reconciler.ts` give it. */
export interface ReconcilerPorts<Entry extends { readonly jobId: string }> {
  /** Batches whose queue entries never went out. */
  unpublished(now: Date): Promise<{ readonly ids: readonly string[]; readonly entries: readonly Entry[] }>;
  markPublished(ids: readonly string[], now: Date): Promise<void>;
  /** A page of a walk over all unfinished rows. `entries` leaves out those that wait in Postgres for their turn. */
  unfinishedAfter(after: string | null, limit: number): Promise<UnfinishedPage<Entry>>;
  expire(now: Date): Promise<number>;
  /** One page of a walk over what waits: frees what no turn would ever reach; answers how many rows. */
  freeStuck(now: Date): Promise<number>;
  pausedKinds(): Promise<ReadonlySet<string>>;
  /** One bounded round; `more`: it was full. */
  retire(now: Date): Promise<{ readonly rows: number; readonly more: boolean }>;
  /** Issues what has no queue entry; answers how many had none. */
  reissue(entries: readonly Entry[], now: Date): Promise<number>;
  /** Names this life of Redis: another after a restart or a failover. */
  redisRun(): Promise<string>;
  /** What the last reconciliation of all rows left in Redis; null after a wipe. */
  mark(): Promise<string | null>;
  setMark(mark: string): Promise<void>;
  /** Makes each queue's pause what its row says. */
  applyPauses(paused: ReadonlySet<string>): Promise<void>;
}

export interface UnfinishedPage<Entry> {
  readonly entries: readonly Entry[];
  /** Where the next page begins; null after the last one. */
  readonly next: string | null;
}

export interface ReconcilerReport {
  readonly republished: number;
  readonly reissued: number;
  readonly expired: number;
  readonly freed: number;
  readonly retired: number;
}

/** Rows audited a tick: a million waiting rows are walked in a quarter of an hour, at a steady millisecond's load. */
const AUDIT_ROWS = 1_000;
/** Pages of a whole re-issue: large, since nothing else helps until it is through. */
const REISSUE_ROWS = 5_000;
/** Retention is not urgent: one bounded round in this many ticks, or in each where the last one was full. */
const RETIRE_EVERY_TICKS = 60;

/**
 * Finds rows that lost their queue entry, and rows whose time is up. One tick a second; its cost does not grow with a healthy
 * backlog. Two reconcilers at once do no harm: a queue entry is issued under its job's id.
 */
export function reconciler<Entry extends { readonly jobId: string }>(
  ports: ReconcilerPorts<Entry>,
  now: () => Date,
): { tick: () => Promise<ReconcilerReport> } {
  const auditNext = audit(ports, now);
  const retireInTurn = retirement(ports, now);
  return {
    async tick() {
      // Without Redis, time still runs out.
      const expired = await ports.expire(now());
      const freed = await ports.freeStuck(now());
      const retired = await retireInTurn();
      // Pauses first: a wiped Redis must not run a paused kind.
      await ports.applyPauses(await ports.pausedKinds());
      const lost = await ports.unpublished(now());
      const republished = await ports.reissue(lost.entries, now());
      await ports.markPublished(lost.ids, now());
      const run = await ports.redisRun();
      const known = (await ports.mark()) === `reconciled ${run}`;
      const reissued = known ? await auditNext() : await reissueAll(ports, run, now);
      return { republished, reissued, expired, freed, retired };
    },
  };
}

/** A mark stands in Redis meanwhile: where it is gone at the end, Redis was wiped again, and the next tick begins anew. */
async function reissueAll<Entry extends { readonly jobId: string }>(
  ports: ReconcilerPorts<Entry>,
  run: string,
  now: () => Date,
): Promise<number> {
  const reconciling = `reconciling ${run}`;
  await ports.setMark(reconciling);
  let reissued = 0;
  let after: string | null = null;
  do {
    const page: UnfinishedPage<Entry> = await ports.unfinishedAfter(after, REISSUE_ROWS);
    reissued += await ports.reissue(page.entries, now());
    after = page.next;
  } while (after !== null);
  if ((await ports.mark()) === reconciling) await ports.setMark(`reconciled ${run}`);
  return reissued;
}

/** A page of a walk that never ends over the unfinished rows. */
function audit<Entry extends { readonly jobId: string }>(
  ports: ReconcilerPorts<Entry>,
  now: () => Date,
): () => Promise<number> {
  let auditedTo: string | null = null;
  return async () => {
    const page = await ports.unfinishedAfter(auditedTo, AUDIT_ROWS);
    auditedTo = page.next;
    return ports.reissue(page.entries, now());
  };
}

/** A round of retention, or 0 where it is not the tick for one. */
function retirement(ports: Pick<ReconcilerPorts<never>, 'retire'>, now: () => Date): () => Promise<number> {
  let ticksToWait = 0;
  return async () => {
    if (ticksToWait-- > 0) return 0;
    const { rows, more } = await ports.retire(now());
    ticksToWait = more ? 0 : RETIRE_EVERY_TICKS - 1;
    return rows;
  };
}
