import { z } from 'zod';
import type { DraftOrder, RailPayment, RailStatus } from '../../../domain/pay/rail/port.ts';
import { fromRailTime } from './multicard-time.ts';

/** Far below 2^53, beyond which JSON's numbers lose their last digits. */
const TIYIN_MAX = 9_000_000_000_000_000n;

/** Theirs in lists are numbers, in sums texts. */
export const Tiyin = z
  .union([z.int(), z.string().regex(/^-?\d{1,16}$/)])
  .transform((amount) => BigInt(amount))
  .pipe(z.bigint().min(-TIYIN_MAX).max(TIYIN_MAX));
const Amount = Tiyin.pipe(z.bigint().min(0n));

const statuses = [
  'draft',
  'progress',
  'billing',
  'success',
  'error',
  'revert',
] as const satisfies readonly RailStatus[];

/** What is kept of a payment. Names, passports (`kyc_data`), cards and whatever else they add are left behind here. */
const Shown = z
  .object({
    // It stands in a path.
    uuid: z.string().regex(/^[\w-]{1,64}$/),
    store_invoice_id: z.string().min(1).nullish(),
    status: z.enum(statuses),
    payment_amount: Amount,
    commission_amount: Amount.nullish(),
    total_amount: Amount.nullish(),
    payment_time: z.string().nullish().catch(null),
  })
  .transform((shown): RailPayment => {
    const commission = shown.commission_amount ?? 0n;
    return {
      uuid: shown.uuid,
      reference: shown.store_invoice_id ?? null,
      status: shown.status,
      amount: shown.payment_amount,
      commission,
      total: shown.total_amount ?? shown.payment_amount + commission,
      paidAt: fromRailTime(shown.payment_time ?? ''),
    };
  });

export const paymentIn = (data: unknown): RailPayment | undefined => Shown.safeParse(data).data;

const Listed = z.object({ pagination: z.object({ total: z.int().min(0) }), list: z.array(Shown) });
export const listIn = (data: unknown) => Listed.safeParse(data).data;

/**
 * The body of `POST /payment/credit`. Without `confirmable: true` it would pay in that one call: the type does not know a body without it,
 * and nothing else here is written to that address.
 */
interface CreditBody {
  readonly card: { readonly token: string };
  readonly amount: number;
  readonly store_id: string;
  readonly invoice_id: string;
  readonly confirmable: true;
  readonly device_details: { readonly ip: string; readonly user_agent: string };
}

/** They ask from which device a person pays. Nobody's takes part. */
const DEVICE = { ip: '127.0.0.1', user_agent: 'Navbat' } as const;
const REFERENCE_CHARS_MAX = 255;

/** @throws RangeError where the amount or the reference is none that they take. */
export function creditBody({ reference, token, amount }: DraftOrder, storeId: string): string {
  if (amount <= 0n || amount > TIYIN_MAX) throw new RangeError('expected an amount of tiyin above 0');
  if (reference.length < 1 || reference.length > REFERENCE_CHARS_MAX)
    throw new RangeError(`expected a reference of 1 to ${REFERENCE_CHARS_MAX} characters`);
  const body: CreditBody = {
    card: { token: token.reveal() },
    // Exact: below 2^53.
    amount: Number(amount),
    store_id: storeId,
    invoice_id: reference,
    confirmable: true,
    device_details: DEVICE,
  };
  return JSON.stringify(body);
}
