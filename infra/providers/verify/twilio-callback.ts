// Not through the package's index, which loads its whole REST client: the api only checks signatures.
import { validateRequest } from 'twilio/lib/webhooks/webhooks.js';
import { z } from 'zod';
import type { CallbackReader, CallbackReading } from '../../../domain/verify/callback.ts';
import type { DeliveryReport } from '../../../domain/verify/port.ts';
import { known } from '../known-word.ts';
import { Reference } from '../reference.ts';

/** Twilio's words. What is missing here (queued, sending, …) says only that it is still at work. */
const statuses: Readonly<Record<string, DeliveryReport['status']>> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  undelivered: 'failed',
  failed: 'failed',
  canceled: 'failed',
};
/** Twilio's code of a message whose ValidityPeriod ran out. */
const EXPIRED_CODE = '30036';

const StatusCallback = z.object({
  MessageSid: Reference,
  MessageStatus: z.string().min(1),
  ErrorCode: z
    .string()
    .regex(/^\d{1,9}$/)
    .optional()
    .catch(undefined),
});

/** Status callbacks of Twilio's Messages API, signed with the account's auth token over address and form (contracts §5). */
export function twilioCallbacks({ authToken }: { readonly authToken: string }): CallbackReader {
  return {
    provider: 'twilio',
    isSigned: ({ headers }) => typeof headers['x-twilio-signature'] === 'string',
    read(request, now) {
      const form = formOf(Buffer.from(request.body).toString('utf8'));
      const signature = request.headers['x-twilio-signature'];
      // Checks the address with and without its port: Twilio drops or keeps it by its own rules.
      if (typeof signature !== 'string' || !validateRequest(authToken, signature, request.url, form))
        return { kind: 'forged' };
      const callback = StatusCallback.safeParse(form);
      return callback.success ? readingOf(callback.data, now) : { kind: 'unreadable' };
    },
  };
}

function readingOf(callback: z.infer<typeof StatusCallback>, at: Date): CallbackReading {
  const { MessageSid: reference, MessageStatus: word, ErrorCode: reason = null } = callback;
  const status = reason === EXPIRED_CODE ? 'expired' : known(statuses, word);
  if (!status) return { kind: 'nothing-new' };
  return { kind: 'report', reference, report: { status, reason, at, refunded: false } };
}

/** A name that comes twice keeps both values: the signature covers them. */
function formOf(body: string): Record<string, string | string[]> {
  const form = new URLSearchParams(body);
  const names = [...new Set(form.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = form.getAll(name);
      return [name, values.length === 1 ? (values[0] ?? '') : values];
    }),
  );
}
