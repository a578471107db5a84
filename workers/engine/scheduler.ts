import type { JobRegistry, SchedulerRules } from '../../domain/job/define-job.ts';

/** A kind whose backlog waits in Postgres. */
export interface ScheduledQueue extends Omit<SchedulerRules, 'ahead'> {
  readonly kind: string;
}

/** The kinds that wait for a scheduler. `perSecond`: how many jobs a second the provider of a kind takes, where that is known. */
export const scheduledQueues = (
  jobs: JobRegistry,
  perSecond: Readonly<Record<string, number>>,
): readonly ScheduledQueue[] =>
  Object.values(jobs).flatMap(({ kind, scheduler }) => {
    if (scheduler === null) return [];
    const { ahead, ...rules } = scheduler;
    const pace = perSecond[kind];
    if (!ahead || pace === undefined) return [{ kind, ...rules }];
    const paced = Math.max(ahead.inFlightMin, Math.ceil(pace * ahead.seconds));
    return [{ kind, ...rules, inFlightMax: Math.min(paced, rules.inFlightMax) }];
  });

export interface SchedulerPorts {
  /** Queue entries of this kind that wait or are at work; sleeping ones do not count. */
  inHand(kind: string): Promise<number>;
  /** One round: schedules up to so many jobs, evenly over the projects, and publishes their queue entries. */
  schedule(kind: string, room: number): Promise<ScheduledRound>;
}
export interface ScheduledRound {
  readonly scheduled: number;
  /** More is due than it had room for, or looked at. */
  readonly more: boolean;
  /** It took chats and turns out of the line for which nothing is due: another round may schedule what stands behind them. */
  readonly passed: boolean;
}

/** A message waits for its turn no longer than a person notices. */
const IDLE_MS = 100;
/** While a backlog stands behind a queue, its window is filled up again before it runs dry. */
const BACKLOG_MS = 20;

/** What one round leaves of its room, small projects' shares and chats for which nothing is due, the next ones use. */
const ROUNDS_MAX = 8;

/**
 * Lets each queue have a bounded window of its backlog, so that no project's ten thousand stand before another's ten, and a
 * pause or a cancellation of a broadcast takes hold at once. Runs beside the reconciler.
 *
 * @returns a round; it answers after how many milliseconds the next one is due.
 */
export function scheduler(queues: readonly ScheduledQueue[], ports: SchedulerPorts): () => Promise<number> {
  const backlogged = new Set<string>();
  const fillWindow = async ({ kind, inFlightMax, roundsMax = ROUNDS_MAX }: ScheduledQueue) => {
    let room = inFlightMax - (await ports.inHand(kind));
    for (let rounds = 1; room > 0; rounds++) {
      const { scheduled, more, passed } = await ports.schedule(kind, room);
      room -= scheduled;
      if (more) backlogged.add(kind);
      else backlogged.delete(kind);
      // Where nothing came of it, those who wait have as much in hand as they may.
      if (!more || (scheduled === 0 && !passed) || rounds >= roundsMax) return;
    }
  };
  const dueAtMs = new Map<string, number>();
  return async () => {
    const startedMs = performance.now();
    const due = queues.filter(({ kind }) => (dueAtMs.get(kind) ?? 0) <= startedMs);
    await Promise.all(due.map(fillWindow));
    for (const { kind, backlogMs = BACKLOG_MS } of due)
      dueAtMs.set(kind, performance.now() + (backlogged.has(kind) ? backlogMs : IDLE_MS));
    return Math.max(0, Math.min(...dueAtMs.values()) - performance.now());
  };
}
