import type { Reason } from '../../shared/reason.ts';

const seen = ['problem'] as const;

/** Why staff may not do with money what they ask. */
export const batchReasons = {
  maker: {
    meaning: 'You made, changed or asked for this yourself. Whoever makes does not approve.',
    retry: 'no',
    nextStep: 'Another member of finance, or an admin, does it: GET /finance/inbox shows it to them.',
    seen,
  },
  'own-money': {
    meaning: 'This pays you, or another person who handles it.',
    retry: 'after-change',
    nextStep:
      'Drop that line (DELETE /finance/batches/{id}/items/{n}), or let somebody do it whom it does not pay.',
    seen,
  },
  'approver-new': {
    meaning: 'Your account, or its second factor, is younger than 24 hours.',
    retry: 'later',
    nextStep: 'Wait until both are a day old, or let another person approve.',
    seen,
  },
  'approval-gone': {
    meaning:
      'Somebody who approved this, or asked for it, counts no more as one of two people, `who`: their account was disabled, has another role by now, or the second factor that they proved it with was removed. Nothing was done.',
    retry: 'after-change',
    nextStep:
      'Another person takes their place: approves the batch (POST /finance/batches/{id}/approve), or asks again. A correction is withdrawn first.',
    seen,
  },
  'hash-differs': {
    meaning: 'Hash, count or total that you approve are not those of the rows. Nothing was approved.',
    retry: 'after-change',
    nextStep: 'Read it again, see what has changed, and approve what is there now with a new proof.',
    seen,
  },
  'batch-state': {
    meaning: 'The batch is in a state, `state`, in which this can’t be done.',
    retry: 'after-change',
    nextStep: 'Read it again: its `next` names what can be done now, and by whom.',
    seen,
  },
  'rest-cancelled': {
    meaning:
      'The rest of the batch was cancelled. Its lines that are on their way have their end, and then it is done by itself.',
    retry: 'no',
    nextStep: 'Make another batch of what waits again: GET /finance/payouts?state=pending.',
    seen,
  },
  'rail-stopped': {
    meaning: 'The rail, or all of them, are stopped.',
    retry: 'later',
    nextStep: 'See who stopped it and why: GET /finance/rails. Two people open it again.',
    seen,
  },
  'rail-differs': {
    meaning:
      'What the rail says and what we know differ, and nobody has said why. No new batch of the rail begins; one that was planned waits, and starts by itself.',
    retry: 'later',
    nextStep:
      'See what differs: GET /finance/differences?open=true, and say why: POST /finance/differences/{id}/note.',
    seen,
  },
  'rail-otp': {
    meaning:
      'The rail wants a one-time password for each payment of our account, and nobody types one for a batch. No new batch begins, and nothing new of one that runs.',
    retry: 'later',
    nextStep:
      'Ask the rail to take that off our account. It is asked every 30 seconds: GET /finance/rails shows when it has (`otp_since`).',
    seen,
  },
  'settle-later': {
    meaning:
      'The payment stands in a file for the bank that is younger than 72 hours. A statement may still have it, so that nobody settles it by hand.',
    retry: 'later',
    nextStep:
      'Import the bank’s statements first: POST /finance/statements. After 72 hours GET /finance/dispatches/stuck shows what none of them has.',
    seen,
  },
  'correction-ended': {
    meaning: 'Another person has agreed to this, or it was withdrawn.',
    retry: 'no',
    nextStep: 'Read it again: GET /finance/corrections/{id}.',
    seen,
  },
  'no-such-account': {
    meaning: 'The ledger has no such account, or no money moves so between the two.',
    retry: 'after-change',
    nextStep: 'See the accounts that there are: GET /finance/accounts.',
    seen,
  },
  'too-many-subscribers': {
    meaning: 'As many batches are followed at once as may be: 4 by one person, 40 by one process.',
    retry: 'later',
    nextStep: 'Close a page that follows one, or read GET /finance/batches/{id} now and then.',
    seen,
  },
  'batch-empty': {
    meaning: 'The batch has no line, so nobody can approve it.',
    retry: 'after-change',
    nextStep:
      'Add payouts: POST /finance/batches/{id}/items. GET /finance/payouts?state=pending shows which wait.',
    seen,
  },
  'no-payouts-match': {
    meaning: 'No payout that waits matches.',
    retry: 'after-change',
    nextStep: 'See which there are: GET /finance/payouts?state=pending.',
    seen,
  },
} as const satisfies Record<string, Reason>;
