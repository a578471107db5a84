/** 0.5 s, 1 s, 2 s, 4 s, 8 s, 8 s …: a port that is not yet free again comes back, and a loop of crashes does not fill the log. */
const RESTART_FIRST_MS = 500;
const RESTART_LONGEST_MS = 8_000;
/** The sixth crash within a minute: it will not get better by itself, and a person should read why. */
export const CRASHES_MAX = 6;
export const CRASH_WINDOW_MS = 60_000;

export type Restart = { readonly restartInMs: number } | 'give-up';

/** What to do after a crash, given the times of this child's crashes up to now, oldest first. */
export function decideRestart(crashedAtMs: readonly number[], nowMs: number): Restart {
  const recent = crashedAtMs.filter((at) => nowMs - at < CRASH_WINDOW_MS).length;
  if (recent >= CRASHES_MAX) return 'give-up';
  return { restartInMs: Math.min(RESTART_FIRST_MS * 2 ** Math.max(0, recent - 1), RESTART_LONGEST_MS) };
}
