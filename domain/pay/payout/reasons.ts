import type { Reason } from '../../shared/reason.ts';
import type { AskRefusal } from '../refusals.ts';

const seen = ['problem'] as const;

/** Why a payout is not made. Nothing was moved, and a repeat under the same Idempotency-Key is answered alike, for ever. */
const askReasons = {
  'below-minimum': {
    meaning: 'The amount is below the minimum of a payout, 10 000 UZS.',
    retry: 'after-change',
    nextStep: 'Ask for at least 1000000 tiyin, under a new Idempotency-Key.',
    seen,
  },
  'above-limit': {
    meaning:
      'The amount is above a limit: 5 000 000 UZS a withdrawal, 10 000 000 UZS a person and day of Tashkent, 10 000 000 UZS any payout.',
    retry: 'after-change',
    nextStep: 'Ask for less, or tomorrow, under a new Idempotency-Key.',
    seen,
  },
  'too-many-open': {
    meaning: 'Three withdrawals of this person are under way, which is as many as may be.',
    retry: 'later',
    nextStep: 'Wait until one is paid, or cancel one: POST /api/withdraw/{id}/cancel.',
    seen,
  },
  'destination-new': {
    meaning: 'The card was bound less than 24 hours ago, and nothing is paid to it before.',
    retry: 'later',
    nextStep: 'Ask again from its `usable_from` on: GET /api/profile/destinations.',
    seen,
  },
  'destination-gone': {
    meaning: 'There is no such card of this payee, it was removed, or a payment to it came back.',
    retry: 'after-change',
    nextStep: 'Bind another card: POST /api/profile/destinations.',
    seen,
  },
  'too-many-destinations': {
    meaning: 'A person has at most three cards in use.',
    retry: 'after-change',
    nextStep: 'Remove one: DELETE /api/profile/destinations/{id}.',
    seen,
  },
  'device-new': {
    meaning:
      'Each device of this person was bound, or one was removed, less than 24 hours ago: none of them confirms a payment yet.',
    retry: 'later',
    nextStep: 'Ask again when 24 hours have passed, under a new Idempotency-Key.',
    seen,
  },
  blocked: {
    meaning:
      'Nothing is paid to this person for now, such as for 72 hours after their phone became another person’s.',
    retry: 'later',
    nextStep: 'Ask again when the block has ended; staff of finance can lift it.',
    seen,
  },
  'receivable-open': {
    meaning: 'This person owes money that was taken back after it was paid out.',
    retry: 'later',
    nextStep: 'Ask again when new earnings have paid it: GET /api/user/balance/me shows `receivable`.',
    seen,
  },
  'rail-closed': {
    meaning: 'Payments by this rail are stopped for now.',
    retry: 'later',
    nextStep: 'Ask again later, under a new Idempotency-Key.',
    seen,
  },
  'key-day-limit': {
    meaning:
      'With this API key so much was asked for today (Asia/Tashkent) that this is above its daily limit.',
    retry: 'later',
    nextStep:
      'Ask again tomorrow, under a new Idempotency-Key. Staff raise the limit: npm run navbat -- project ceilings <project> payouts_daily_uzs=….',
    seen,
  },
} as const satisfies Record<AskRefusal, Reason>;

export const payoutReasons = {
  ...askReasons,
  'payout-not-open': {
    meaning: 'The payout is in a state, `state`, in which this can’t be done.',
    retry: 'no',
    nextStep:
      'Read it again. One that stands in a batch is finance’s: it can be dropped from the batch before it is paid.',
    seen,
  },
  'reference-reused': {
    meaning: 'Another payout of your project has this `reference`, with another payee, amount or purpose.',
    retry: 'after-change',
    nextStep: 'Find it by GET /payouts?reference=…; a new payout needs a reference of its own.',
    seen,
  },
  'too-many-forms': {
    meaning: 'This person has asked for ten forms of the rail within an hour.',
    retry: 'later',
    nextStep: 'Finish one of them, or wait for the seconds in Retry-After.',
    seen,
  },
  'balance-differs': {
    meaning:
      'The balance that is kept is not what the transfers of the person come to. 500; finance has an alarm, and no new batch begins until somebody has said why.',
    retry: 'later',
    nextStep: 'Wait for finance, or ask support: nothing of it is yours to mend.',
    seen,
  },
  'not-yours': {
    meaning: 'This is about another person, or about nobody. Each person sees their own alone.',
    retry: 'no',
    nextStep: 'Use `me`, or the Telegram id of your own account.',
    seen,
  },
} as const satisfies Record<string, Reason>;
