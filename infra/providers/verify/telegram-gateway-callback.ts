import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { CallbackReader, CallbackReading } from '../../../domain/verify/callback.ts';
import type { DeliveryReport } from '../../../domain/verify/port.ts';
import { sameText, sha256 } from '../../process/crypto.ts';
import { known } from '../known-word.ts';
import { Reference } from '../reference.ts';
import { GATEWAY_PROVIDER, payloadOf } from './telegram-gateway.ts';
import { parseJson } from '../../../domain/shared/json.ts';

/** 5 min, either way: room for a slow clock, and too short for a report found in somebody's log. */
const AGE_SECONDS_MAX = 300;
/** The end of the year 9999: what names a later time names none. */
const SECONDS_MAX = 253_402_300_799;

const statuses: Readonly<Record<string, DeliveryReport['status']>> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  expired: 'expired',
  revoked: 'failed',
};

const RequestStatus = z.object({
  request_id: Reference,
  payload: z.string().optional(),
  is_refunded: z.boolean().optional(),
  delivery_status: z
    .object({ status: z.string(), updated_at: z.int().min(0).max(SECONDS_MAX).optional().catch(undefined) })
    .optional(),
});

/** Delivery reports of the Telegram Gateway, signed over time and body with the access token's hash (contracts §3). */
export function gatewayCallbacks({ token }: { readonly token: string }): CallbackReader {
  const key = sha256(token);
  return {
    provider: GATEWAY_PROVIDER,
    isSigned: ({ headers }) =>
      typeof headers['x-request-timestamp'] === 'string' &&
      typeof headers['x-request-signature'] === 'string',
    read(request, now) {
      const { 'x-request-timestamp': timestamp, 'x-request-signature': signature } = request.headers;
      if (typeof timestamp !== 'string' || typeof signature !== 'string') return { kind: 'forged' };
      const expected = createHmac('sha256', key).update(`${timestamp}\n`).update(request.body).digest('hex');
      if (!sameText(signature.toLowerCase(), expected) || !isFresh(timestamp, now)) return { kind: 'forged' };

      const status = RequestStatus.safeParse(parseJson(Buffer.from(request.body).toString('utf8')));
      if (!status.success) return { kind: 'unreadable' };
      // The address isn't signed: a genuine report sent on to another attempt's address must not count there.
      if (status.data.payload !== payloadOf(request.jobId, request.attempt)) return { kind: 'forged' };
      return readingOf(status.data, now);
    },
  };
}

function isFresh(timestamp: string, now: Date): boolean {
  return (
    /^\d{1,12}$/.test(timestamp) && Math.abs(now.getTime() / 1_000 - Number(timestamp)) <= AGE_SECONDS_MAX
  );
}

function readingOf(status: z.infer<typeof RequestStatus>, now: Date): CallbackReading {
  const { request_id: reference, delivery_status: delivery, is_refunded: refunded = false } = status;
  // What is refunded was not delivered in time, whether it says so or not.
  const word = delivery ? known(statuses, delivery.status) : refunded && 'expired';
  // Without a delivery it tells of a check at Telegram, and codes are checked here.
  if (!word) return { kind: 'nothing-new' };
  const reason = word === 'failed' ? (delivery?.status ?? null) : null;
  const at = delivery?.updated_at === undefined ? now : new Date(delivery.updated_at * 1_000);
  return {
    kind: 'report',
    reference,
    report: { status: word, reason, at, refunded },
  };
}
