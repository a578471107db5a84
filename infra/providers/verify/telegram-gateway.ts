import { z } from 'zod';
import type { JobId } from '../../../domain/shared/ids.ts';
import type { Cost, SendReply } from '../../../domain/job/reply.ts';
import type { CodeChannel, CodeMessage } from '../../../domain/verify/port.ts';
import { replyToStatus } from '../classify-status.ts';
import { type HttpAnswer, headerOf, keptAlive, post, urlAt } from '../http.ts';
import { TakenReference } from '../reference.ts';
import { addressOf, busy, refused, replyWithoutAnswer, unexpected, unknown } from '../replies.ts';
import type { AttemptReason } from '../../../domain/reasons.ts';
import { parseJson } from '../../../domain/shared/json.ts';

export const GATEWAY_PROVIDER = 'telegram-gateway';
const API_URL = 'https://gatewayapi.telegram.org';
/** 30 to 3600 s are what the Gateway takes as ttl. */
const TTL_SECONDS_MIN = 30;
const TTL_SECONDS_MAX = 3_600;
/** 5 s: a 429 in front of the Gateway names no time; its own FLOOD_WAIT does. */
const statusRules = { busyMs: 5_000, paid: true };
const MICROS = 1_000_000;
/** 100: ten thousand times what a code costs. More is no price of one. */
const COST_DOLLARS_MAX = 100;

export interface TelegramGatewayOptions {
  readonly token: string;
  /** The sandbox in place of gatewayapi.telegram.org. */
  readonly url?: string | undefined;
  /** Where the Gateway reports on one attempt. */
  readonly callbackUrl: (jobId: JobId, attempt: number) => string;
}

/** Codes by phone number through the Telegram Gateway, which words the message itself (contracts §3). */
export function telegramGateway(options: TelegramGatewayOptions): CodeChannel {
  const agent = keptAlive();
  const url = urlAt(options.url ?? API_URL, '/sendVerificationMessage');
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${options.token}` };

  return {
    channel: 'telegram-gateway',
    provider: GATEWAY_PROVIDER,
    async send(message, signal) {
      const phone = addressOf(GATEWAY_PROVIDER, message.to.phone);
      if (signal.aborted) return unknown('timeout');
      const body = JSON.stringify(bodyOf(message, phone, options));
      try {
        return replyToAnswer(await post(agent, { url, headers, body }, signal));
      } catch (error) {
        const withoutAnswer = replyWithoutAnswer(error, signal);
        if (withoutAnswer) return withoutAnswer;
        throw unexpected(GATEWAY_PROVIDER, error);
      }
    },
  };
}

function bodyOf(message: CodeMessage, phone: string, { callbackUrl }: TelegramGatewayOptions): object {
  const { jobId, attempt, ttlSeconds } = message;
  return {
    phone_number: phone,
    code: message.code,
    // What isn't delivered within it is refunded.
    ttl: Math.min(Math.max(Math.trunc(ttlSeconds), TTL_SECONDS_MIN), TTL_SECONDS_MAX),
    callback_url: callbackUrl(jobId, attempt),
    payload: payloadOf(jobId, attempt),
  };
}

/** Comes back in the signed body of a callback, whose address isn't signed. At most 128 bytes; this is 36 and a few. */
export function payloadOf(jobId: JobId, attempt: number): string {
  return `${jobId}:${attempt}`;
}

const Answer = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    result: z.object({
      request_id: TakenReference,
      request_cost: z.number().min(0).max(COST_DOLLARS_MAX).optional().catch(undefined),
    }),
  }),
  z.object({ ok: z.literal(false), error: z.string() }),
]);

/** What an answer of the Gateway means. Its errors count, not its HTTP status, unless it gave none. */
export function replyToAnswer({ status, headers, text }: HttpAnswer): SendReply {
  const answer = status < 500 ? Answer.safeParse(parseJson(text)).data : undefined;
  if (answer?.ok) return accepted(answer.result);
  if (answer) return replyToRefusal(answer.error);
  return replyToStatus({ status, retryAfter: headerOf(headers, 'retry-after') }, statusRules);
}

function accepted({
  request_id: reference,
  request_cost: cost,
}: {
  request_id: string | null;
  request_cost?: number | undefined;
}): SendReply {
  return { kind: 'accepted', reference, cost: cost === undefined ? null : costOf(cost) };
}

/** The Gateway's prices are in US dollars, as a JSON number with few decimals. */
const costOf = (dollars: number): Cost => ({ micros: BigInt(Math.round(dollars * MICROS)), currency: 'USD' });

/** By prefix: some carry a number. None makes the phone dead, which may still take an SMS. */
const refusals: readonly (readonly [prefix: string, reason: AttemptReason])[] = [
  ['PHONE_NUMBER_INVALID', 'number-invalid'],
  ['PHONE_NUMBER_', 'not-on-telegram'],
  ['ACCESS_TOKEN_', 'credentials'],
  ['BALANCE_NOT_ENOUGH', 'balance-empty'],
  ['TTL_', 'message-invalid'],
  ['CODE_', 'message-invalid'],
  ['CALLBACK_URL_', 'message-invalid'],
  ['PAYLOAD_', 'message-invalid'],
];
const FLOOD_WAIT = /^FLOOD_WAIT_(\d+)/;

function replyToRefusal(error: string): SendReply {
  const wait = FLOOD_WAIT.exec(error)?.[1];
  if (wait !== undefined) return busy(Number(wait) * 1_000);
  const refusal = refusals.find(([prefix]) => error.startsWith(prefix));
  return refused(refusal?.[1] ?? 'provider-refused', false, error);
}
