import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { PaymentNotice, RailNotice } from '../../../domain/pay/rail/port.ts';
import { parseJson } from '../../../domain/shared/json.ts';
import { sameText } from '../../process/crypto.ts';
import { Tiyin } from './multicard-payments.ts';

const Notice = z.object({
  uuid: z.string().regex(/^[\w-]{1,64}$/),
  invoice_id: z.string().min(1).max(255),
  amount: Tiyin,
  sign: z.string().regex(/^[0-9a-f]{40}$/i),
});

/** `sign = sha1(uuid + invoice_id + amount + secret)` (contracts §6). The status is not part of it, and is not read. */
export function noticeIn(body: Uint8Array, secret: string): RailNotice<PaymentNotice> {
  const notice = Notice.safeParse(parseJson(Buffer.from(body).toString('utf8'))).data;
  if (!notice) return { kind: 'unreadable' };
  const { uuid, invoice_id: reference, amount, sign } = notice;
  const expected = createHash('sha1').update(`${uuid}${reference}${amount}${secret}`).digest('hex');
  return sameText(sign.toLowerCase(), expected) ? { kind: 'look', uuid, reference } : { kind: 'forged' };
}
