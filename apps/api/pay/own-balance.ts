import { z } from 'zod';
import type { Balance, Withdrawals } from '../../../domain/pay/payout/withdrawals.ts';
import { tiyin } from '../../http/pay/fields.ts';
import { Problem } from '../../http/problem.ts';

/** Of Postgres' bigint, which holds Telegram's ids. */
export const TelegramId = z
  .string()
  .regex(/^(me|[1-9]\d{0,17})$/, 'expected `me`, or a numeric id of Telegram')
  .meta({ description: '`me`, or the caller’s own numeric id at Telegram.', example: 'me' });

/** @throws Problem 403, of another person's id as of nobody's. */
export async function requireOwn(
  withdrawals: Pick<Withdrawals, 'isTheirs'>,
  person: { readonly personId: string },
  asked: string,
): Promise<void> {
  if (asked !== 'me' && !(await withdrawals.isTheirs(person.personId, asked)))
    throw new Problem(403, 'not-yours', 'This is not the Telegram account of whoever asks.');
}

export const balanceShape = {
  available: tiyin('What can be withdrawn.'),
  held: tiyin('Set aside for withdrawals under way.'),
  pending: tiyin('Earned, on days that are not closed.'),
  review: tiyin('Earned, and looked at by a person first.'),
  receivable: tiyin('What is owed: taken back after it was paid out.'),
  currency: z.literal('UZS').meta({ description: 'ISO 4217.' }),
  as_of: z.date().meta({ description: 'When it was read.' }),
};

/** What the ledger holds, and what it does not hold yet, at the time of the request. */
export const balanceBody = (
  { available, held, receivable }: Balance,
  { pending, review }: { readonly pending: bigint; readonly review: bigint },
  now: Date,
) => ({
  available: available.toString(),
  held: held.toString(),
  pending: pending.toString(),
  review: review.toString(),
  receivable: receivable.toString(),
  currency: 'UZS' as const,
  as_of: now,
});
