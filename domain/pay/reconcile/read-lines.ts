import type { BankDocument, BankFile } from '../bank-file/file.ts';
import { payoutOf } from '../bank-file/reference.ts';
import { beginningOfDay } from '../ledger/head.ts';
import type { RailPayment } from '../rail/port.ts';
import type { RailLine } from './line.ts';

/** A line, and what a person may read of it: whom it names and why. In `says` is no number of a card or an account. */
export interface StatedLine extends RailLine {
  readonly says: string | null;
}

/** A name for what only this text says: a hash of it. */
export type KeyOf = (text: string) => string;

/**
 * What left the wallet of a rail of cards, and what came back to it: a payment that was taken back is a line each way. What has not been paid is
 * no line.
 *
 * @param seenAt when a payment that came back was seen to have; the rail tells no time of it.
 */
export function linesOfPayments(
  payments: readonly RailPayment[],
  { keyOf, seenAt }: { readonly keyOf: KeyOf; readonly seenAt: Date },
): readonly StatedLine[] {
  return payments
    .filter(({ status }) => status === 'success' || status === 'revert')
    .flatMap((payment) => {
      const { uuid, reference, amount, commission } = payment;
      const of = { uuid, reference, amount, commission, says: null };
      const line = (direction: RailLine['direction'], at: Date) => ({
        ...of,
        direction,
        at,
        key: keyOf(`${direction} ${uuid}`),
      });
      const out = line('out', payment.paidAt ?? seenAt);
      return payment.status === 'revert' ? [out, line('back', seenAt)] : [out];
    });
}

/**
 * What a bank's statement says of our account. A bank gives its lines no ids: a line is what all of its fields say, and of several
 * that are alike within a day the second, third …: a statement has whole days.
 */
export function linesOfBankFile(
  { account, documents }: BankFile,
  { keyOf }: { readonly keyOf: KeyOf },
): readonly StatedLine[] {
  const alike = new Map<string, number>();
  return documents.map((document) => {
    const { number, day, bookedOn, amount, payer, payee, purpose } = document;
    const parts = [number, day, bookedOn ?? '', String(amount), payer.account, payee.account, purpose];
    const text = JSON.stringify(parts);
    const nth = (alike.get(text) ?? 0) + 1;
    alike.set(text, nth);
    return {
      key: keyOf(`${text} ${nth}`),
      direction: payer.account === account ? ('out' as const) : ('back' as const),
      uuid: null,
      reference: payoutOf(purpose),
      amount,
      commission: 0n,
      at: beginningOfDay(bookedOn ?? day),
      says: saysOf(document, account),
      ...(payer.account === account && { account: payee.account }),
    };
  });
}

const SAYS_CHARS_MAX = 200;
/** As many as the number of a card has at least, whatever stands between them. */
const LONG_NUMBER = /\d(?:[^\p{L}\d]{0,3}\d){12,}/gu;
const LAST_DIGITS = 4;

function saysOf({ number, payer, payee, purpose }: BankDocument, account: string): string {
  const other = payer.account === account ? payee : payer;
  // Our reference stands in a column of its own; without it more of the text is seen.
  return `№${number} ${other.name}: ${purpose}`
    .replaceAll(/NB-[0-9a-f-]{36}/gi, '')
    .replaceAll(LONG_NUMBER, (digits) => `••••${digits.slice(-LAST_DIGITS)}`)
    .replaceAll(/\p{C}/gu, ' ')
    .replaceAll(/ +/g, ' ')
    .trim()
    .slice(0, SAYS_CHARS_MAX);
}
