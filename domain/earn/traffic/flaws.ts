/** Why a report is kept and not counted. */
export const flaws = [
  'outside-session',
  'clock-ahead',
  'after-close',
  'counter-went-back',
  'too-fast',
  'conflict',
] as const;
export type Flaw = (typeof flaws)[number];

/** Why bytes of a day were not paid: a flaw, a gateway that counted fewer, or what was decided of the whole day. */
export type UnpaidReason =
  | Flaw
  | 'counterpart-lower'
  | 'no-counterpart'
  | 'counterpart-differs'
  | (string & {});
