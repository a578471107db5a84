import type { MoneyRefusal, RefusedOf } from '../../../domain/pay/refusals.ts';
import type { ProblemType } from '../../../domain/reasons.ts';
import { heldUp } from '../answer.ts';
import { Problem } from '../problem.ts';
import { proofProblem } from '../proof.ts';

/** Why money does not move, as it is answered. Every POST about money goes by this table. */
export function moneyProblem(refusal: MoneyRefusal): Problem {
  if (refusal.kind === 'busy') return heldUp();
  if (refusal.kind === 'proof') return proofProblem(refusal.because);
  const of = 'of' in refusal ? refusal.of : undefined;
  const extra = {
    ...('state' in refusal && refusal.state !== null && { state: refusal.state }),
    ...('who' in refusal && refusal.who !== null && { who: refusal.who }),
    ...(of && { payout_id: of.payoutId }),
    ...(of?.line !== undefined && { line: of.line }),
  };
  if (refusal.kind === 'not-payable')
    return new Problem(422, refusal.because, ofWhich(of) + payableWords[refusal.because], { extra });
  const { status, type, words } = plain[refusal.kind];
  return new Problem(status, type, ofWhich(of) + words, { extra });
}

/** Of one that was asked about alone nobody needs to be told which. */
function ofWhich(of: RefusedOf | undefined): string {
  if (!of) return '';
  return of.line === undefined ? `Payout ${of.payoutId}: ` : `Line ${of.line}, payout ${of.payoutId}: `;
}

type Because = Extract<MoneyRefusal, { kind: 'not-payable' }>['because'];

const payableWords = {
  'below-minimum': 'A payout is of at least 10 000 UZS: expected an `amount` from 1000000 on.',
  'above-limit': 'The amount, alone or with what was asked today or stands in the batch, is above a limit.',
  'too-many-open': 'Three withdrawals are under way already.',
  'destination-new': 'A card is usable 24 hours after it was bound.',
  'destination-gone': 'There is no such card in use: expected the id of one of the payee’s.',
  'device-new': 'The devices that would confirm it were bound less than 24 hours ago.',
  blocked: 'Nothing is paid to this person for now.',
  'receivable-open': 'The person owes money, which is paid first.',
  'rail-closed': 'The rail is stopped.',
  'too-many-destinations': 'The person has three cards in use.',
  'key-day-limit': 'With this key so much was asked for today already.',
} as const satisfies Record<Because, string>;

interface Plain {
  readonly status: number;
  readonly type: ProblemType;
  readonly words: string;
}

const plain = {
  insufficient: { status: 422, type: 'insufficient', words: 'There is not so much money in the account.' },
  'key-reused': {
    status: 422,
    type: 'reference-reused',
    words:
      'This was asked before with something else in it: expected another `reference`, or the same payout.',
  },
  'no-such-move': {
    status: 422,
    type: 'no-such-account',
    words: 'The ledger has no such account, or nothing moves so between the two.',
  },
  'payout-state': { status: 409, type: 'payout-not-open', words: 'The payout is in another state by now.' },
  'stale-version': {
    status: 412,
    type: 'version-stale',
    words: 'It was changed since the version that If-Match names.',
  },
  maker: { status: 403, type: 'maker', words: 'You made or approved this; another person does it.' },
  role: { status: 403, type: 'role-forbids', words: 'Your role may not do this.' },
  'content-differs': {
    status: 409,
    type: 'hash-differs',
    words: 'Hash, count and total have to be those of the batch as it was submitted.',
  },
  'decide-limit': {
    status: 409,
    type: 'decide-limit',
    words: 'In 24 hours you have decided of as much money as one person does: another decides.',
  },
  'own-money': { status: 403, type: 'own-money', words: 'It pays you, or another person who handles it.' },
  'approver-new': {
    status: 403,
    type: 'approver-new',
    words: 'An approver’s account and second factor are at least 24 hours old.',
  },
  'batch-state': { status: 409, type: 'batch-state', words: 'The batch is in another state.' },
  'rest-cancelled': {
    status: 409,
    type: 'rest-cancelled',
    words: 'The rest of the batch was cancelled: nothing of it goes on.',
  },
  unknown: { status: 404, type: 'not-found', words: 'There is no such thing.' },
  arrow: {
    status: 409,
    type: 'payout-not-open',
    words: 'The payment is in a state from which this does not lead.',
  },
  stopped: { status: 409, type: 'rail-stopped', words: 'The rail, or all of them, are stopped.' },
  'rail-differs': {
    status: 409,
    type: 'rail-differs',
    words: 'A difference between this rail and the books is unexplained: no new batch of it begins.',
  },
  'rail-otp': {
    status: 409,
    type: 'rail-otp',
    words: 'The rail wants a one-time password for each payment, and nobody types one for a batch.',
  },
  'settle-later': {
    status: 409,
    type: 'settle-later',
    words: 'The file of this payment is younger than 72 hours: a statement of the bank may still have it.',
  },
  'approval-gone': {
    status: 409,
    type: 'approval-gone',
    words:
      'Somebody who approved this, or asked for it, counts no more as one of two people: expected another person in their place.',
  },
} as const satisfies Record<Exclude<MoneyRefusal['kind'], 'not-payable' | 'proof' | 'busy'>, Plain>;
