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

/** For the person, in English. */
export const flawSentences: Readonly<Record<Flaw, string>> = {
  'outside-session': 'The report was measured before the session began or after it ended.',
  'clock-ahead': 'The clock of the phone was more than a minute ahead when the report arrived.',
  'after-close': 'The report arrived after its day was closed: three days later, at midnight in Tashkent.',
  'counter-went-back': 'The counter of the phone showed less than before.',
  'too-fast': 'The counter grew faster than 50 MB a second.',
  conflict: 'A second report of the same number said something else; the first one counts.',
};
