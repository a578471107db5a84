import { type Answer, json } from '../../http.ts';
import type { Card } from './cards.ts';
import type { Binding, Payment } from './rail.ts';

const ZONE_MS = 18_000_000;
const ZONE = '+05:00';

/** `2026-11-29 18:00:00` of GMT+5, as Multicard writes each time. */
export const railTime = (ms: number): string =>
  new Date(ms + ZONE_MS).toISOString().slice(0, 19).replace('T', ' ');

/** NaN where it is none. */
export const fromRailTime = (text: string): number => Date.parse(`${text.replace(' ', 'T')}${ZONE}`);

export const answered = (data: unknown): Answer => json(200, { success: true, data });

/** Multicard's own words of a refusal. */
export const refusals = {
  ERROR_CARD_NOT_FOUND: [400, 'Неверный номер карты или срок действия'],
  ERROR_FIELDS: [400, 'Не переданы обязательные поля'],
  ERROR_TRANS_NOT_READY: [400, 'Транзакция не готова'],
  ERROR_NOT_FOUND: [404, 'Объект не найден'],
  ERROR_PAYMENT_APPLIED: [400, 'Платёж уже обработан'],
  ERROR_ACCESS_DENIED: [403, 'Доступ запрещён'],
  ERROR_UNKNOWN: [400, 'Неизвестная ошибка'],
  // Its code was not read at its source.
  ERROR_INSUFFICIENT_FUNDS: [400, 'Недостаточно средств на депозите'],
} as const satisfies Record<string, readonly [number, string]>;
export type RefusalCode = keyof typeof refusals;

/** @param details in place of the usual ones. */
export function refused(code: RefusalCode, details?: string): Answer {
  const [status, usual] = refusals[code];
  return json(status, { success: false, error: { code, details: details ?? usual } });
}

export const LIMIT_DETAILS = 'Для пополнения на эту сумму необходимо пройти идентификацию';
export const OTP_DETAILS = 'Не передан SMS-код';

/** What each answer holds of a receiver, so that a client that keeps it is seen. */
const KYC_DATA = '{"last_name":"BOLTAYEV","passport":"AD21234567","pinfl":"31105892514010"}';

/** As the history lists a payment. */
export const listed = (payment: Payment, card: Pick<Card, 'token' | 'pan' | 'system'>) => ({
  id: payment.id,
  uuid: payment.uuid,
  status: payment.status,
  ps: card.system,
  store_invoice_id: payment.reference,
  billing_id: null,
  payment_time: payment.paidAt === null ? null : railTime(payment.paidAt),
  payment_amount: payment.amount,
  commission_amount: payment.commission,
  total_amount: payment.total,
  card_token: card.token,
  card_pan: card.pan,
  added_on: railTime(payment.addedAt),
});

/** As a call about one payment answers it. */
export const paymentModel = (
  payment: Payment,
  card: Pick<Card, 'token' | 'pan' | 'system'>,
  storeId: string,
) => ({
  ...listed(payment, card),
  store_id: storeId,
  commission_type: 'up',
  phone: null,
  callback_url: null,
  kyc_data: KYC_DATA,
  ps_uniq_id: payment.paidAt === null ? null : String(payment.id).padStart(12, '5'),
  ps_response_code: null,
  ps_response_msg: null,
  receipt_url: null,
});

/** A binding, whose card is there once its holder has typed it. */
export function bindingModel({ session, card, declined, beganAt }: Binding) {
  const status = card ? 'active' : declined ? 'deleted' : 'draft';
  return {
    payer_id: session,
    card_pan: card?.pan ?? null,
    card_token: card?.token ?? null,
    phone: card?.phone ?? null,
    holder_name: card?.holderName ?? null,
    pinfl: card?.pinfl ?? null,
    ps: card?.system ?? null,
    status,
    added_on: railTime(beganAt),
    card_status: { code: 0, description: 'Active' },
    sms_inform: true,
  };
}
