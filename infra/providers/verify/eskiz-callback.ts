import { z } from 'zod';
import type { CallbackReader, CallbackReading, CallbackRequest } from '../../../domain/verify/callback.ts';
import type { DeliveryReport } from '../../../domain/verify/port.ts';
import { parseJson } from '../../../domain/shared/json.ts';
import { sameText } from '../../process/crypto.ts';
import { known } from '../known-word.ts';
import { Reference } from '../reference.ts';
import { eskizCallbackToken, TOKEN_PARAMETER, userSmsId } from './eskiz-callback-token.ts';

/** SMPP's words, short and long. What is missing here (NEW, WAITING, ENROUTE, …) says only that it is still at work. */
const statuses: Readonly<Record<string, DeliveryReport['status']>> = {
  TRANSMTD: 'sent',
  TRANSMITTED: 'sent',
  ACCEPTD: 'sent',
  ACCEPTED: 'sent',
  DELIVRD: 'delivered',
  DELIVERED: 'delivered',
  EXPIRED: 'expired',
  REJECTD: 'failed',
  REJECTED: 'failed',
  UNDELIV: 'failed',
  UNDELIVERED: 'failed',
  UNDELIVERABLE: 'failed',
  DELETED: 'failed',
  FAILED: 'failed',
};

const Report = z
  .object({
    request_id: Reference.optional().catch(undefined),
    message_id: Reference.optional().catch(undefined),
    user_sms_id: Reference.optional().catch(undefined),
    status: z.string().min(1).max(64),
  })
  .transform(({ request_id, message_id, user_sms_id, status }) => ({
    reference: request_id ?? message_id,
    userSmsId: user_sms_id,
    word: status.toUpperCase(),
  }));

/**
 * Delivery reports of Eskiz (contracts §5a), which are not signed: the token in the address of each attempt shows that they are from
 * somebody whom we, through Eskiz, told that address. A report moves no money.
 */
export function eskizCallbacks(account: { readonly password: string }): CallbackReader {
  const token = eskizCallbackToken(account);
  const isOurs: CallbackReader['isSigned'] = ({ url, jobId, attempt }) =>
    URL.canParse(url) &&
    sameText(new URL(url).searchParams.get(TOKEN_PARAMETER) ?? '', token(jobId, attempt));
  return {
    provider: 'eskiz',
    isSigned: isOurs,
    read(request, now) {
      if (!isOurs(request)) return { kind: 'forged' };
      const report = Report.safeParse(fieldsOf(request.body)).data;
      return report ? readingOf(report, request, now) : { kind: 'unreadable' };
    },
  };
}

function readingOf(
  { reference, userSmsId: named, word }: z.infer<typeof Report>,
  { jobId, attempt }: CallbackRequest,
  at: Date,
): CallbackReading {
  if (named !== undefined && named !== userSmsId(jobId, attempt)) return { kind: 'forged' };
  if (reference === undefined) return { kind: 'unreadable' };
  const status = known(statuses, word);
  if (!status) return { kind: 'nothing-new' };
  const reason = status === 'failed' ? word : null;
  return { kind: 'report', reference, report: { status, reason, at, refunded: false } };
}

/** A form, or JSON, whatever its content type says. */
function fieldsOf(body: Uint8Array): unknown {
  const text = Buffer.from(body).toString('utf8').trim();
  return text.startsWith('{') ? parseJson(text) : Object.fromEntries(new URLSearchParams(text));
}
