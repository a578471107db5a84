import type { CodesSeenIn, Reason } from '../shared/reason.ts';
import { batchReasons } from './finance/reasons.ts';
import { linkReasons } from './link/reasons.ts';
import { payoutReasons } from './payout/reasons.ts';

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
  'list-faulty': {
    meaning: 'Lines of the list are wrong. Nothing of it was imported.',
    retry: 'after-change',
    nextStep: 'Ask with `dry_run=true` for all that is wrong, mend the file, and send it again.',
    seen: ['problem'],
  },
  'list-repeats': {
    meaning:
      'Lines of the list pay what a list of the last 90 days paid the same phone. Nothing was imported.',
    retry: 'after-change',
    nextStep: 'Check that it is not the same payment again. If it is meant, send it with `repeats=allowed`.',
    seen: ['problem'],
  },
  'list-unfunded': {
    meaning: 'The project has paid in less than the list pays. Nothing was imported.',
    retry: 'after-change',
    nextStep: 'Have the project topped up by what is `missing`, or take lines out of the list.',
    seen: ['problem'],
  },
  'payout-failed': {
    meaning:
      'The payment was not made. Its money is back where it was held, and the reason stands on the payout.',
    retry: 'after-change',
    nextStep: 'Ask for a new payout, to another card if the reason names the card.',
    seen: ['job'],
  },
  'payout-returned': {
    meaning:
      'The rail paid, and took the payment back. The whole amount is back; the card is not paid again.',
    retry: 'after-change',
    nextStep: 'The payee binds another card, and a new payout is asked for.',
    seen: ['job'],
  },
  'payout-dropped': {
    meaning:
      'The rest of its batch was cancelled before the payment began. Its payout can be paid by another batch.',
    retry: 'after-change',
    nextStep: 'Finance adds the payout to another batch.',
    seen: ['job'],
  },
  'payout-stuck': {
    meaning:
      'Nobody could learn from the rail whether it has paid. The money stays held; the payment is neither repeated nor given up.',
    retry: 'no',
    nextStep:
      'Two people of finance ask the rail by its reference, and settle the payment by hand as paid or failed.',
    seen: ['job'],
  },
  'by-hand': {
    meaning:
      'The rail could not say what became of the payment; two people of finance found out, and settled it.',
    retry: 'no',
    nextStep: 'Nothing. `navbat explain` tells who settled it, and by what evidence.',
    seen: ['job'],
  },
  'payout-replaced': {
    meaning: 'Another job works on the payment: this one was thought lost.',
    retry: 'no',
    nextStep: 'Nothing.',
    seen: ['job'],
  },
  'statement-too-long': {
    meaning: 'The period has more transfers of the account than one file may have.',
    retry: 'after-change',
    nextStep: 'Ask for a shorter period, or read the statement as JSON in pages.',
    seen: ['problem'],
  },
  ...payoutReasons,
  ...batchReasons,
  ...linkReasons,
  'statement-damaged': {
    meaning:
      'The file is no whole statement of the account that pays: `errors` says what is wrong, by line. Nothing of it was taken.',
    retry: 'after-change',
    nextStep: 'Get the statement from the bank anew, and send it byte by byte as it is.',
    seen: ['problem'],
  },
  'difference-unexplained': {
    meaning: 'A difference is closed with the reason why it is so, and nobody has said one.',
    retry: 'after-change',
    nextStep: 'Send `note` with it, or explain it first: POST /finance/differences/{id}/note.',
    seen: ['problem'],
  },
  'difference-closed': {
    meaning: 'The difference is closed, and stays so.',
    retry: 'no',
    nextStep: 'Nothing: if it is found again by another line or amount, it is another difference.',
    seen: ['problem'],
  },
  /** Of days of earning, whose refusals are told as those of paying. */
  'decide-limit': {
    meaning:
      'Of days that one member of staff pays, gives again or takes back, the sum in 24 hours has an end: 1 000 000 UZS.',
    retry: 'later',
    nextStep:
      'Another member of staff decides, or you do tomorrow. What is more by itself is put right by a correction, which takes two people.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;

/** Why a job of `payout` ended as it did. */
export type PayJobReason = CodesSeenIn<typeof payReasons, 'job'>;
