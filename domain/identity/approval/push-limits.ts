/** Pushes for approval to one person in an hour, over all projects: more is an attack on their patience, and teaches them to say yes. */
export const PUSHES_PER_HOUR = 10;
/**
 * What may be asked with a publishable key, which anybody may have, shares of these, whatever the project: services that the person
 * approved for have the rest, which no stranger uses up.
 */
export const APP_PUSHES_PER_HOUR = 6;
/** What projects that the person never approved for share of those: enough for a first time, too little for a siege. */
export const STRANGER_PUSHES_PER_HOUR = 3;
export const PUSH_WINDOW_SECONDS = 3_600;
/** Whoever reports a push that was not theirs hears of none for so long; the app still shows what is asked. */
export const REPORT_PAUSE_SECONDS = 3_600;

export interface PushStanding {
  /** The person reported one: none until then. */
  readonly pausedUntil: Date | null;
  /** Sent within the window, over all projects. */
  readonly sent: number;
  /** Those of them that came from projects the person never approved for. */
  readonly sentByStrangers: number;
  /** Those that were asked for with a publishable key, and those of strange projects. */
  readonly sentByApps: number;
}

/** Who asks: a service of a project that the person approved for, such a project's app, or a project strange to them. */
export type PushAsker = 'service' | 'app' | 'stranger';

/** May this person's phone ring for this project now? What may not ring can still be found in the app. */
export function decidePush(
  standing: PushStanding,
  asker: PushAsker,
  now: Date,
): 'push' | 'paused' | 'limited' {
  if (standing.pausedUntil !== null && standing.pausedUntil > now) return 'paused';
  if (standing.sent >= PUSHES_PER_HOUR) return 'limited';
  if (asker === 'service') return 'push';
  if (standing.sentByApps >= APP_PUSHES_PER_HOUR) return 'limited';
  return asker === 'stranger' && standing.sentByStrangers >= STRANGER_PUSHES_PER_HOUR ? 'limited' : 'push';
}
