import type { Dice } from '../../../support/dice.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** What becomes of one call, by the dice of its item. `late`: it is done, so long after nobody waits for its answer any more. */
export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown-before' | 'unknown-after' }
  | { readonly kind: 'late'; readonly afterMs: number }
  | { readonly kind: 'refused'; readonly because: Refusal }
  /** Of a confirmation. */
  | { readonly kind: 'progress' | 'flaps'; readonly afterMs: number; readonly to: 'success' | 'error' }
  | { readonly kind: 'fails' }
  | { readonly kind: 'reverts'; readonly afterMs: number; readonly isTold: boolean }
  /** Nobody hears of it, nor of what is asked about it, for longer than anybody asks. */
  | { readonly kind: 'mute' }
  /** Of a draft. */
  | { readonly kind: 'pays-at-once'; readonly isTold: boolean }
  | { readonly kind: 'other-amount' };

export type Refusal =
  | 'card'
  | 'fields'
  | 'limit'
  | 'not-ready'
  | 'too-many'
  | 'signed-out'
  | 'wallet-empty'
  | 'denied'
  | 'otp-required';

const latenesses = [3 * SECOND, 20 * SECOND, 80 * SECOND, 12 * MINUTE, 2 * HOUR] as const;
const refused = (because: Refusal): Fault => ({ kind: 'refused', because });
type Row = readonly [share: number, make: (dice: Dice) => Fault];

/** Of 10 000 drafts. What stops the whole rail is rare: people open it again each time. */
const ofDrafts: readonly Row[] = [
  [200, () => ({ kind: 'unknown-before' })],
  [200, () => ({ kind: 'unknown-after' })],
  [100, (dice) => ({ kind: 'late', afterMs: dice.pick(latenesses) })],
  [60, () => refused('card')],
  [20, () => refused('fields')],
  [20, () => refused('limit')],
  [60, () => refused('not-ready')],
  [60, () => refused('too-many')],
  [40, () => refused('signed-out')],
  [1, (dice) => refused(dice.pick(['wallet-empty', 'denied', 'otp-required']))],
  [1, (dice) => ({ kind: 'pays-at-once', isTold: dice.unit() < 0.5 })],
  [2, () => ({ kind: 'other-amount' })],
];
const ofConfirms: readonly Row[] = [
  [250, () => ({ kind: 'unknown-before' })],
  [250, () => ({ kind: 'unknown-after' })],
  [150, (dice) => ({ kind: 'late', afterMs: dice.pick(latenesses) })],
  [100, (dice) => ({ kind: 'progress', afterMs: dice.pick(latenesses), to: 'success' })],
  [40, (dice) => ({ kind: 'progress', afterMs: dice.pick(latenesses), to: 'error' })],
  // For less than a minute: nobody believes an error before it is said twice.
  [40, () => ({ kind: 'flaps', afterMs: 30 * SECOND, to: 'success' })],
  [60, () => ({ kind: 'fails' })],
  [60, (dice) => ({ kind: 'reverts', afterMs: dice.pick(latenesses), isTold: dice.unit() < 0.5 })],
  [50, () => refused('too-many')],
  [50, () => refused('not-ready')],
  [1, () => refused('wallet-empty')],
  [5, () => ({ kind: 'mute' })],
];
const ofAsks: readonly Row[] = [
  [800, () => ({ kind: 'unknown-before' })],
  [100, () => refused('too-many')],
  [50, () => refused('signed-out')],
];
const OF = 10_000;

export const faultOf = (what: 'draft' | 'confirm' | 'ask', dice: Dice): Fault => {
  let roll = dice.unit() * OF;
  for (const [share, make] of { draft: ofDrafts, confirm: ofConfirms, ask: ofAsks }[what]) {
    roll -= share;
    if (roll < 0) return make(dice);
  }
  return { kind: 'none' };
};
