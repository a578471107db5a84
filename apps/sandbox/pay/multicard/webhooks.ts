import { createHash } from 'node:crypto';
import type { Caller } from '../../caller.ts';
import type { Struck } from './faults.ts';
import type { PaymentStatus } from './lines.ts';
import { railTime } from './models.ts';
import type { Payment, Rail } from './rail.ts';

/** What is not acknowledged is repeated five times. */
const TRIES_MAX = 6;
const PAUSE_MS = 200;

type Manner = Pick<Extract<Struck, { effect: 'webhooks' }>, 'repeats' | 'reversed' | 'forged'>;
const USUAL: Manner = { repeats: 1, reversed: false, forged: false };

export interface WebhookDoor {
  readonly rail: Rail;
  readonly caller: Caller;
  /** Where the customer wants them; null: nowhere. */
  readonly url: string | null;
  readonly secret: string;
  readonly storeId: string;
}

/** The signature leaves the status out, as Multicard's own does. */
const signatureOf = ({ uuid, reference, amount }: Payment, secret: string): string =>
  createHash('sha1').update(`${uuid}${reference}${amount}${secret}`).digest('hex');

/** Tells the customer of a status. Resolves when it was taken, or given up. */
export async function notify(
  door: WebhookDoor,
  payment: Payment,
  status: PaymentStatus,
  manner: Manner = USUAL,
): Promise<void> {
  const order: PaymentStatus[] = manner.reversed ? [status, 'progress'] : [status];
  for (const one of order)
    for (let n = 0; n < manner.repeats; n += 1) await post(door, payment, one, manner.forged);
}

async function post(
  { rail, caller, url, secret, storeId }: WebhookDoor,
  payment: Payment,
  status: PaymentStatus,
  forged: boolean,
): Promise<void> {
  if (url === null) return;
  const body = JSON.stringify({
    uuid: payment.uuid,
    store_id: storeId,
    invoice_id: payment.reference,
    amount: payment.amount,
    payment_time: payment.paidAt === null ? null : railTime(payment.paidAt),
    status,
    sign: signatureOf(payment, forged ? `not ${secret}` : secret),
  });
  await caller.deliver({
    url,
    compose: () => ({ headers: { 'content-type': 'application/json' }, body }),
    accepts: (answer) => answer >= 200 && answer < 300,
    triesMax: TRIES_MAX,
    pauseMs: PAUSE_MS / rail.settings.wait_divisor,
    onTry: (answer) =>
      rail.commit({ t: 'webhook', at: Date.now(), uuid: payment.uuid, status, answer: answer ?? null }),
  });
}
