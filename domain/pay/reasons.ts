import type { Reason } from '../shared/reason.ts';

/** Why money does not move. */
export const payReasons = {
  insufficient: {
    meaning:
      'There is not enough money in the account. The request moved nothing. A repeat under the same key is refused again, for ever.',
    retry: 'after-change',
    nextStep: 'Ask for less, or ask again under a new Idempotency-Key when there is more.',
    seen: ['problem'],
  },
  'idempotency-key-is-card': {
    meaning:
      'The Idempotency-Key holds the number of a card, and no such number is kept. 400; nothing was moved.',
    retry: 'after-change',
    nextStep: 'Send the request again under another Idempotency-Key, such as a UUID.',
    seen: ['problem'],
  },
  'statement-too-long': {
    meaning: 'The period has more transfers of the account than one file may have.',
    retry: 'after-change',
    nextStep: 'Ask for a shorter period, or read the statement as JSON in pages.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;
