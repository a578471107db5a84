/** Pushes for approval to one person in an hour, over all projects: more is an attack on their patience, and teaches them to say yes. */
export const PUSHES_PER_HOUR = 10;
/** What projects that the person never approved for share of these: enough for a first time, too little for a siege. */
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
}

/** May this person's phone ring for this project now? What may not ring can still be found in the app. */
export function decidePush(
  standing: PushStanding,
  isStranger: boolean,
  now: Date,
): 'push' | 'paused' | 'limited' {
  if (standing.pausedUntil !== null && standing.pausedUntil > now) return 'paused';
  if (standing.sent >= PUSHES_PER_HOUR) return 'limited';
  return isStranger && standing.sentByStrangers >= STRANGER_PUSHES_PER_HOUR ? 'limited' : 'push';
}
