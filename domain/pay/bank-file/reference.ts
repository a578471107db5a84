import { bankText, type BankEncoding } from './letters.ts';
import { PURPOSE_CHARS_MAX } from './file.ts';

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
/** Banks write purposes in capitals, and put signs of their own around it. Between letters or digits it is a part of something else. */
const REFERENCE = new RegExp(`(?<![\\p{L}\\d-])NB-(${UUID})(?![\\p{L}\\d-])`, 'giu');

/** The purpose of a payment. Our reference comes first: what is cut off or added by a bank is at the end. */
export const purposeWith = (payoutId: string, text: string, encoding: BankEncoding): string =>
  bankText(`NB-${payoutId} ${text}`, encoding, PURPOSE_CHARS_MAX);

/** The payout whose reference stands in the purpose; null where there is none, or that of more than one. */
export function payoutOf(purpose: string): string | null {
  const found = new Set([...purpose.matchAll(REFERENCE)].map(([, id = '']) => id.toLowerCase()));
  const [first, ...others] = found;
  return first !== undefined && others.length === 0 ? first : null;
}
