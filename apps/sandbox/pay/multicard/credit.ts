import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Answer } from '../../http.ts';
import { namesOf } from './cards.ts';
import { type Desk, divided, type Outcome, underFault } from './desk.ts';
import type { Struck } from './faults.ts';
import type { Incoming } from './incoming.ts';
import type { LineOf } from './lines.ts';
import { answered, LIMIT_DETAILS, OTP_DETAILS, paymentModel, refused } from './models.ts';
import type { Payment } from './rail.ts';
import { notify } from './webhooks.ts';

/** Tiyin: 10 million soʻm. A larger payment needs to know its receiver. */
const UNKNOWN_RECEIVER_MAX = 1_000_000_000;
const PPM = 1_000_000;
const INVOICE_ID_CHARS_MAX = 255;

const Order = z.object({
  card: z.object({ token: z.string() }),
  amount: z.int().min(1),
  store_id: z.union([z.string(), z.int()]).transform(String),
  invoice_id: z.string().min(1).max(INVOICE_ID_CHARS_MAX),
  confirmable: z.boolean().default(false),
  device_details: z.object({ ip: z.string().min(1), user_agent: z.string().min(1) }),
  kyc_data: z.record(z.string(), z.string()).optional(),
});
const Confirmation = z.object({ otp: z.string().optional() });

/** `POST /payment/credit`: a draft, or, where `confirmable` is not true, a payment. */
export function draft(desk: Desk, incoming: Incoming): Promise<Outcome> {
  const { rail, account } = desk;
  const order = Order.safeParse(incoming.body).data;
  const card = order && rail.card(order.card.token);
  return underFault(desk, 'draft', card ? namesOf(card) : [], async (fault) => {
    if (fault?.effect === 'unknown' && fault.becomes !== 'success') return refused('ERROR_UNKNOWN');
    if (!order || order.store_id !== account.storeId) return refused('ERROR_FIELDS');
    if (!card) return refused('ERROR_CARD_NOT_FOUND');
    const kyc = Object.keys(order.kyc_data ?? {}).length;
    if (order.amount > UNKNOWN_RECEIVER_MAX && kyc < 7) return refused('ERROR_FIELDS', LIMIT_DETAILS);
    const commission = Math.floor((order.amount * rail.settings.commission_ppm) / PPM);
    if (order.amount + commission > rail.wallet) return refused('ERROR_INSUFFICIENT_FUNDS');
    const payment = add(desk, incoming.id, { ...order, commission });
    if (!order.confirmable || fault?.effect === 'pays-at-once') pay(desk, payment, incoming.id);
    if (fault?.effect === 'unknown') return refused('ERROR_UNKNOWN');
    return answerOf(desk, payment);
  });
}

type Priced = z.infer<typeof Order> & { readonly commission: number };

function add({ rail, clock }: Desk, by: number, order: Priced): Payment {
  const uuid = randomUUID();
  const { amount, commission } = order;
  rail.commit({
    t: 'draft',
    uuid,
    reference: order.invoice_id,
    card: order.card.token,
    amount,
    commission,
    total: amount + commission,
    confirmable: order.confirmable,
    addedAt: clock().getTime(),
    by,
  });
  const payment = rail.payment(uuid);
  if (!payment) throw new Error('a draft that was just made is not there');
  return payment;
}

/** `PUT /payment/credit/{uuid}`. */
export function confirm(desk: Desk, incoming: Incoming, uuid: string): Promise<Outcome> {
  const { rail } = desk;
  const payment = rail.payment(uuid);
  const card = payment && rail.card(payment.card);
  return underFault(desk, 'confirm', card ? namesOf(card) : [], async (fault) => {
    if (!payment) return refused('ERROR_NOT_FOUND');
    if (payment.status !== 'draft') return refused('ERROR_PAYMENT_APPLIED');
    const { otp } = Confirmation.safeParse(incoming.body).data ?? {};
    if (rail.settings.otp_required && otp === undefined) return refused('ERROR_FIELDS', OTP_DETAILS);
    if (payment.total > rail.wallet) return refused('ERROR_INSUFFICIENT_FUNDS');
    return settleAs(desk, payment, incoming.id, fault);
  });
}

/** What becomes of a payment that is confirmed. */
async function settleAs(
  desk: Desk,
  payment: Payment,
  by: number,
  fault: Struck | undefined,
): Promise<Answer> {
  if (fault?.effect === 'fails') move(desk, payment, 'error', by);
  else if (fault?.effect === 'progress') later(desk, payment, by, fault.becomes, fault.after_ms);
  else if (fault?.effect === 'unknown') {
    if (fault.becomes !== 'draft') later(desk, payment, by, fault.becomes, fault.after_ms);
    return refused('ERROR_UNKNOWN');
  } else if (fault?.effect === 'webhooks') {
    record(desk, payment, by);
    const all = told(desk, payment, fault);
    if (fault.early) await all;
  } else {
    pay(desk, payment, by);
    if (fault?.effect === 'revert') due(desk, payment, 'revert', fault.after_ms);
  }
  return answerOf(desk, payment);
}

const told = async (desk: Desk, payment: Payment, fault: Extract<Struck, { effect: 'webhooks' }>) => {
  // Nothing is told before it is on the disk.
  await desk.rail.flushed();
  await notify(desk.webhooks, payment, payment.status, fault);
};

function pay(desk: Desk, payment: Payment, by: number | null): void {
  record(desk, payment, by);
  void desk.rail.flushed().then(() => notify(desk.webhooks, payment, 'success'));
}

function record({ rail, clock }: Desk, payment: Payment, by: number | null): void {
  const { uuid, reference, card, amount, commission, total } = payment;
  const paid = { uuid, reference, card, amount, commission, total, paidAt: clock().getTime(), by };
  rail.commit({ t: 'paid', at: Date.now(), ...paid });
}

function move(desk: Desk, payment: Payment, status: LineOf<'moved'>['status'], by: number | null): void {
  desk.rail.commit({ t: 'moved', at: Date.now(), uuid: payment.uuid, status, by });
  void desk.rail.flushed().then(() => notify(desk.webhooks, payment, status));
}

function later(desk: Desk, payment: Payment, by: number, to: 'success' | 'error', afterMs: number): void {
  desk.rail.commit({ t: 'moved', at: Date.now(), uuid: payment.uuid, status: 'progress', by });
  due(desk, payment, to, afterMs);
}

function due(desk: Desk, { uuid }: Payment, to: LineOf<'due'>['to'], afterMs: number): void {
  const ms = divided(desk.rail, afterMs);
  desk.rail.commit({ t: 'due', uuid, to, dueAt: Date.now() + ms });
  desk.timers.after(ms, () => settle(desk, uuid, to));
}

/** Its time has come. */
export function settle(desk: Desk, uuid: string, to: LineOf<'due'>['to']): void {
  const payment = desk.rail.payment(uuid);
  if (!payment) return;
  if (to === 'success') pay(desk, payment, null);
  else move(desk, payment, to, null);
}

/** `GET /payment/credit/{uuid}`. */
export function read(desk: Desk, uuid: string): Promise<Outcome> {
  const payment = desk.rail.payment(uuid);
  const card = payment && desk.rail.card(payment.card);
  return underFault(desk, 'read', card ? namesOf(card) : [], () =>
    payment ? answerOf(desk, payment) : refused('ERROR_NOT_FOUND'),
  );
}

function answerOf({ rail, account }: Desk, payment: Payment): Answer {
  const card = rail.card(payment.card) ?? { token: payment.card, pan: '', system: 'uzcard' as const };
  return answered(paymentModel(payment, card, account.storeId));
}
