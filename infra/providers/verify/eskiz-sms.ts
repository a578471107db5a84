import { z } from 'zod';
import type { JobId } from '../../../domain/shared/ids.ts';
import type { SendReply } from '../../../domain/job/reply.ts';
import { parseJson } from '../../../domain/shared/json.ts';
import { smsSegments } from '../../../domain/shared/sms-segments.ts';
import type { CodeChannel, CodeMessage } from '../../../domain/verify/port.ts';
import type { AttemptReason } from '../../../domain/reasons.ts';
import { replyToStatus } from '../classify-status.ts';
import { type HttpAnswer, headerOf, keptAlive, post } from '../http.ts';
import { TakenReference } from '../reference.ts';
import { addressOf, refused, replyWithoutAnswer, unexpected, unknown } from '../replies.ts';
import { eskizBalance } from './eskiz-balance.ts';
import {
  type CallbackToken,
  eskizCallbackToken,
  TOKEN_PARAMETER,
  userSmsId,
} from './eskiz-callback-token.ts';
import { ESKIZ_PROVIDER, type EskizAccount, EskizSession } from './eskiz-session.ts';
import { eskizTemplates } from './eskiz-templates.ts';

/** 2 s: Eskiz names no time with its 429. */
const statusRules = { busyMs: 2_000, paid: true };

export interface EskizOptions extends EskizAccount {
  /** `4546`, or a name that Eskiz approved. */
  readonly from: string;
  /** Where Eskiz reports on one attempt; the token that proves it is added here. */
  readonly callbackUrl: (jobId: JobId, attempt: number) => string;
  readonly now?: () => Date;
}

/** SMS through Eskiz of Uzbekistan (contracts §5a): approved texts only, billed by part in soʻm. */
export function eskizSms(options: EskizOptions): CodeChannel {
  const agent = keptAlive();
  const session = new EskizSession(options, agent, options.now);
  const token = eskizCallbackToken(options);

  const url = session.url('/message/sms/send');

  return {
    channel: 'sms',
    provider: ESKIZ_PROVIDER,
    async send(message, signal) {
      const phone = addressOf(ESKIZ_PROVIDER, message.to.phone);
      if (signal.aborted) return unknown('timeout');
      try {
        const body = formOf(message, phone, options, token);
        const answer = await session.withToken(signal, (authorization) => {
          const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization };
          return post(agent, { url, headers, body }, signal);
        });
        return 'kind' in answer ? answer : replyToAnswer(answer, message.text);
      } catch (error) {
        const withoutAnswer = replyWithoutAnswer(error, signal);
        if (withoutAnswer) return withoutAnswer;
        throw unexpected(ESKIZ_PROVIDER, error);
      }
    },
    balance: eskizBalance(session, agent),
    templates: eskizTemplates(session),
  };
}

function formOf(
  { jobId, attempt, text }: CodeMessage,
  phone: string,
  { from, callbackUrl }: EskizOptions,
  token: CallbackToken,
): string {
  const callback = new URL(callbackUrl(jobId, attempt));
  callback.searchParams.set(TOKEN_PARAMETER, token(jobId, attempt));
  return new URLSearchParams({
    mobile_phone: phone.replace(/\D/g, ''),
    message: text,
    from,
    user_sms_id: userSmsId(jobId, attempt),
    callback_url: callback.href,
  }).toString();
}

const Accepted = z.object({ id: TakenReference });
/** Its words stand in a text, or in one list a field. */
const Refusal = z.object({ message: z.union([z.string(), z.record(z.string(), z.unknown())]) });
const Status = z.object({ status: z.literal('error') });

/** By its words, for it has no codes. Russian, Uzbek and English, as its clients have seen them. */
const refusals: readonly (readonly [words: RegExp, reason: AttemptReason])[] = [
  [
    /модерац|moderat|moderatsiya|шаблон|template|shablon|для теста|test uchun|for test/iu,
    'text-not-moderated',
  ],
  [/баланс|недостаточно средств|balans|balance|insufficient|mablag/iu, 'balance-empty'],
  [/mobile_phone|phone_number|номер|raqam|phone number/iu, 'number-invalid'],
  [/nick|sender|отправител|\bfrom\b|заблокирован|blocked/iu, 'credentials'],
];

/** What an answer of Eskiz means. @param text what was sent, whose parts are billed. */
export function replyToAnswer({ status, headers, text: body }: HttpAnswer, text: string): SendReply {
  const answer = status >= 500 || status === 429 ? undefined : parseJson(body);
  const isRefusal = status >= 400 || Status.safeParse(answer).success;
  const accepted = !isRefusal && status < 300 ? Accepted.safeParse(answer).data : undefined;
  if (accepted) return { kind: 'accepted', reference: accepted.id, cost: null, parts: smsSegments(text) };
  const words = isRefusal ? wordsOf(answer) : undefined;
  const reason = words === undefined ? undefined : refusals.find(([pattern]) => pattern.test(words))?.[1];
  const said = words === undefined ? undefined : `Eskiz: ${words}`;
  if (reason) return refused(reason, false, said);
  // It says 200 and that it did not take it.
  if (status < 300 && isRefusal) return refused('provider-refused', false, said);
  return replyToStatus({ status, retryAfter: headerOf(headers, 'retry-after') }, statusRules, said);
}

function wordsOf(answer: unknown): string | undefined {
  const message = Refusal.safeParse(answer).data?.message;
  return typeof message === 'object' ? JSON.stringify(message) : message;
}
