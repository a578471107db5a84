import { z } from 'zod';
import { readsAsCardNumber } from '../../../domain/pay/list/card-number.ts';
import { holdsContact } from '../../../domain/pay/list/contact.ts';
import { VISIBLE_LINE } from '../../../domain/shared/visible-line.ts';

/** Below what a transfer may move: 10^14 tiyin. */
const TIYIN_DIGITS_MAX = 14;

/** An amount as a caller writes it, read into a bigint. A number would be rounded above 2^53. */
export const TiyinField = z
  .string({ error: 'expected a string of digits: tiyin' })
  .regex(
    new RegExp(`^[1-9]\\d{0,${TIYIN_DIGITS_MAX - 1}}$`),
    'expected a positive integer of tiyin, as a string: "1000000" is 10 000 UZS',
  )
  .transform(BigInt)
  .meta({ description: 'In tiyin: 100 of them are 1 UZS.', example: '15000000' });

/** An amount as we write it. */
export const tiyin = (description: string) =>
  z
    .string()
    .regex(/^-?\d+$/)
    .meta({ description: `${description} In tiyin.`, example: '15000000' });

/** One line that people write about money. No number of a card is kept, wherever somebody types it. */
export const moneyText = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .regex(VISIBLE_LINE, 'expected one line of visible text')
    .refine((text) => !readsAsCardNumber(text), noCard);

/** The same of what payees may read in a message of ours. */
export const payeeText = (charactersMax: number) =>
  moneyText(charactersMax).refine((text) => !holdsContact(text), {
    error:
      'expected no address of a page, no @name, no e-mail and no phone number: payees read it beside our link. Put a space after each full stop',
  });

export const noCard = { error: 'expected no number of a card: payees bind their card themselves' };

/** As people read it: 100 000. */
export const spaced = (count: number): string => count.toLocaleString('en').replaceAll(',', ' ');
