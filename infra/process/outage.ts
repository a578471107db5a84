/** What is away says so several times a second. */
const TOLD_EVERY_MS = 60_000;

export interface OutageWords {
  /** At the start, and once a minute as long as it goes on. `times`: errors so far. */
  readonly lost: (error: unknown, times: number) => void;
  readonly back: (awayMs: number, times: number) => void;
}

export interface Outage {
  /** @param part one of those that need what is away: it is back when it is for all of them. */
  readonly lost: (part: string, error: unknown) => void;
  readonly back: (part: string) => void;
}

/** Tells of something that is away in few lines: when it goes, each minute, and when it is back. */
export function outage({ lost, back }: OutageWords, nowMs = () => performance.now()): Outage {
  const without = new Set<string>();
  let sinceMs = 0;
  let toldMs = 0;
  let times = 0;
  return {
    lost(part, error) {
      const isNew = without.size === 0;
      if (isNew) [sinceMs, times] = [nowMs(), 0];
      without.add(part);
      times += 1;
      if (!isNew && nowMs() - toldMs < TOLD_EVERY_MS) return;
      toldMs = nowMs();
      lost(error, times);
    },
    back(part) {
      if (without.delete(part) && without.size === 0) back(nowMs() - sinceMs, times);
    },
  };
}
