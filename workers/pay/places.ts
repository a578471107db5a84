/** Gives the place back. */
export type Leave = () => void;

export interface Places {
  /**
   * Waits until a call that is committed now finds its place soon. A call is committed before it is made: where each had its place first,
   * the rail would idle through each commit; where all were committed at once, those behind a slow rail would be too late to begin.
   */
  mayCommit(): Promise<Leave>;
  /** Waits for a place at the rail. `urgent` goes first: what is drafted is best confirmed before more is drafted. */
  enter(urgent: boolean): Promise<Leave>;
}

/** How long who committed ahead may wait for a place: well within the second in which a call begins. */
const WAIT_MS_MAX = 600;
/** As many times `max` are enough for commits that take as long as two calls. */
const AHEAD_MAX = 4;

/** Of one rail in this process: `max` calls at once, and more that are committed ahead, the faster the rail answers. */
export function places(max: number, now: () => number = () => performance.now()): Places {
  const atRail = queue(() => max);
  let lastMs = 1;
  const ahead = queue(() => max * Math.min(AHEAD_MAX, 1 + Math.floor(WAIT_MS_MAX / lastMs)));
  return {
    mayCommit: () => ahead.enter(false),
    enter: async (urgent) => {
      const leave = await atRail.enter(urgent);
      const startedAt = now();
      return () => {
        lastMs = Math.max(1, now() - startedAt);
        leave();
      };
    },
  };
}

function queue(max: () => number): { enter: (urgent: boolean) => Promise<Leave> } {
  let inside = 0;
  const waiting: (() => void)[] = [];
  const admit = () => {
    while (inside < max() && waiting.length > 0) {
      inside += 1;
      waiting.shift()?.();
    }
  };
  const leaver = (): Leave => {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      inside -= 1;
      admit();
    };
  };
  return {
    enter: (urgent) =>
      new Promise((resolve) => {
        const start = () => resolve(leaver());
        if (urgent) waiting.unshift(start);
        else waiting.push(start);
        admit();
      }),
  };
}
