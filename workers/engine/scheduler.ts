/** Kinds whose backlog waits in Postgres, and how many of each may be in hand: their tickets, waiting or at work. */
export interface ReleasedLane<Kind extends string> {
  readonly kind: Kind;
  readonly inHandMax: number;
  /** Between two rounds while a backlog stands; default `BACKLOG_MS`. */
  readonly backlogMs?: number;
  /** Rounds at one time; default `ROUNDS_MAX`. */
  readonly roundsMax?: number;
}

export interface ReleasePorts<Kind extends string> {
  /** Tickets of this kind that wait or are at work; sleeping ones do not count. */
  inHand(kind: Kind): Promise<number>;
  /** One round: releases up to so many jobs, evenly over the projects, and publishes their tickets. */
  release(kind: Kind, room: number): Promise<ReleasedRound>;
}
export interface ReleasedRound {
  readonly released: number;
  /** More is due than it had room for, or looked at. */
  readonly more: boolean;
  /** It took chats and turns out of the line for which nothing is due: another round may release what stands behind them. */
  readonly passed: boolean;
}

/** A message waits for its turn no longer than a person notices. */
const IDLE_MS = 100;
/** While a backlog stands behind a lane, its window is filled up again before it runs dry. */
const BACKLOG_MS = 20;

/** What one round leaves of its room, small projects' shares and chats for which nothing is due, the next ones use. */
const ROUNDS_MAX = 8;

/**
 * Lets each lane have a bounded window of its backlog, so that no project's ten thousand stand before another's ten, and a
 * pause or a cancellation of a broadcast takes hold at once. Runs beside the sweep.
 *
 * @returns a round; it answers after how many milliseconds the next one is due.
 */
export function releaser<Kind extends string>(
  lanes: readonly ReleasedLane<Kind>[],
  ports: ReleasePorts<Kind>,
): () => Promise<number> {
  const backlogged = new Set<Kind>();
  const releaseLane = async ({ kind, inHandMax, roundsMax = ROUNDS_MAX }: ReleasedLane<Kind>) => {
    let room = inHandMax - (await ports.inHand(kind));
    for (let rounds = 1; room > 0; rounds++) {
      const { released, more, passed } = await ports.release(kind, room);
      room -= released;
      if (more) backlogged.add(kind);
      else backlogged.delete(kind);
      // Where nothing came of it, those who wait have as much in hand as they may.
      if (!more || (released === 0 && !passed) || rounds >= roundsMax) return;
    }
  };
  const dueAtMs = new Map<Kind, number>();
  return async () => {
    const startedMs = performance.now();
    const due = lanes.filter(({ kind }) => (dueAtMs.get(kind) ?? 0) <= startedMs);
    await Promise.all(due.map(releaseLane));
    for (const { kind, backlogMs = BACKLOG_MS } of due)
      dueAtMs.set(kind, performance.now() + (backlogged.has(kind) ? backlogMs : IDLE_MS));
    return Math.max(0, Math.min(...dueAtMs.values()) - performance.now());
  };
}
