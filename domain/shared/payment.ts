import { z } from 'zod';
import { VISIBLE_LINE } from './visible-line.ts';

/** What an approval of these purposes moves must be said in it: how much, and to whom. */
const MONEY_PURPOSE = /pay|withdraw|transfer|money/i;

export const movesMoney = (purpose: string, payment: Payment | null = null): boolean =>
  payment !== null || MONEY_PURPOSE.test(purpose);

/** Below 10^18 an amount fits every ledger's column. */
const AMOUNT_DIGITS_MAX = 18;
/** What a line of an SMS and of a phone's screen can show. */
const PAYEE_CHARACTERS_MAX = 64;

/** The currencies of ISO 4217. */
const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** What is paid, and to whom: in the code's text, and in what a device shows and signs. */
export const Payment = z.strictObject({
  // A string: a number would be rounded above 2^53.
  amount: z
    .string({ error: 'expected a string of digits' })
    .regex(
      new RegExp(`^[1-9]\\d{0,${AMOUNT_DIGITS_MAX - 1}}$`),
      "expected a positive integer of the currency's smallest unit, as a string",
    )
    .meta({ description: "An integer of the currency's smallest unit: tiyin, cents.", example: '15000000' }),
  currency: z
    .string()
    .refine((code) => currencies.has(code), { error: 'expected a currency of ISO 4217, such as UZS' })
    .meta({ description: 'ISO 4217.', example: 'UZS' }),
  payee: z
    .string()
    .max(PAYEE_CHARACTERS_MAX)
    .regex(VISIBLE_LINE, 'expected one line of visible text')
    .meta({ description: 'Who gets it, as the person knows them.', example: 'Korzinka' }),
});
export type Payment = z.infer<typeof Payment>;

/** `150 000.00 UZS`: the same in every language, and in every alphabet that an SMS has. */
export function amountText({ amount, currency }: Payment): string {
  const digits = minorDigits(currency);
  const padded = amount.padStart(digits + 1, '0');
  const whole = padded.slice(0, padded.length - digits).replace(/\B(?=(\d{3})+$)/g, ' ');
  return `${digits === 0 ? whole : `${whole}.${padded.slice(-digits)}`} ${currency}`;
}

/** Digits of the smallest unit: 2 for UZS, 0 for JPY, 3 for KWD. */
const minorDigits = (currency: string): number =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
