/** What was done to a run, and when. An interval where it lasted: a frozen process, an absent server. */
export interface Strike {
  readonly what: StrikeKind;
  readonly who: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export const strikeKinds = [
  'kill-worker',
  'freeze-worker',
  'kill-api',
  'kill-reconciler',
  'redis-stopped',
  'redis-killed',
  'redis-wiped',
  'redis-restored',
  'postgres-fast',
  'postgres-immediate',
  'postgres-kill',
] as const;
export type StrikeKind = (typeof strikeKinds)[number];

/** Kills of the process that held the attempt: what alone may explain a message that was sent again. */
export const killsOfWorkers: ReadonlySet<StrikeKind> = new Set(['kill-worker', 'freeze-worker']);

export class Strikes {
  readonly all: Strike[] = [];

  /** Does it, and writes down from when to when. */
  async record(what: StrikeKind, who: string, strike: () => unknown): Promise<void> {
    const fromMs = Date.now();
    try {
      await strike();
    } finally {
      this.all.push({ what, who, fromMs, toMs: Date.now() });
    }
  }

  counts(): Partial<Record<StrikeKind, number>> {
    const counts = strikeKinds.map(
      (kind) => [kind, this.all.filter(({ what }) => what === kind).length] as const,
    );
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }
}
