import { z } from 'zod';
import type { RailRefusal, RailReply, RailUnknown } from '../../../domain/pay/rail/port.ts';
import type { UnknownReason } from '../../../domain/job/reply.ts';
import { parseJson } from '../../../domain/shared/json.ts';
import { retryAfterMs } from '../../../domain/shared/retry-after.ts';
import { type HttpAnswer, headerOf } from '../http.ts';
import { known } from '../known-word.ts';
import { RETRY_AFTER_MS_MAX, replyWithoutAnswer, unexpected } from '../replies.ts';

export const MULTICARD = 'multicard';

export type Refused = Extract<RailReply<never>, { kind: 'refused' }>;
export type Unknown = Extract<RailReply<never>, { kind: 'unknown' }>;

export const refused = (code: string, because: RailRefusal, waitMs?: number): Refused => ({
  kind: 'refused',
  code,
  because,
  retryable: retryable.has(because),
  ...(waitMs !== undefined && { retryAfterMs: waitMs }),
});
export const unknown = (why: RailUnknown): Unknown => ({ kind: 'unknown', why });

/** What is not the payment's fault. */
const retryable: ReadonlySet<RailRefusal> = new Set([
  'wallet-empty',
  'not-ready',
  'too-many',
  'otp-required',
  'denied',
  'signed-out',
]);

/** Multicard's codes (contracts §6). One that is not here says nothing that we could rely on. */
const codes: Readonly<Record<string, RailRefusal>> = {
  ERROR_CARD_NOT_FOUND: 'card',
  CARD_NOT_SUPPORTED: 'card',
  ERROR_FIELDS: 'fields',
  ERROR_TRANS_NOT_READY: 'not-ready',
  ERROR_NOT_FOUND: 'not-found',
  ERROR_PAYMENT_APPLIED: 'already-applied',
  ERROR_ACCESS_DENIED: 'denied',
  ERROR_WRONG_OTP: 'otp-required',
  // Not read at its source: which code an empty wallet has. Another one makes the payment unknown, and it is asked about.
  ERROR_INSUFFICIENT_FUNDS: 'wallet-empty',
};
/** The rail does not know either. Its pages say to ask until it is success or error. */
const unknownCodes: ReadonlySet<string> = new Set([
  'ERROR_UNKNOWN',
  'ERROR_DEBIT_UNKNOWN',
  'ERROR_CALLBACK_TIMEOUT',
]);
/** `ERROR_FIELDS` of a body that has them all: its sentence tells what is meant. Russian, Uzbek and English. */
const fieldWords: readonly (readonly [RegExp, RailRefusal])[] = [
  [/идентификац|лимит|identifi|limit|cheklov/iu, 'limit'],
  [/смс|sms|otp|код подтвержд/iu, 'otp-required'],
];

const Failure = z.object({
  error: z.object({ code: z.string().regex(/^[A-Z][A-Z_]{1,63}$/), details: z.unknown() }),
});
const Success = z.object({ success: z.literal(true), data: z.unknown() });

/**
 * What an answer means. @param read what is kept of `data`; undefined: it can't be read.
 *
 * An answer that is not wholly understood is unknown, whatever its status: money may have moved.
 */
export function replyOf<T>(answer: HttpAnswer, read: (data: unknown) => T | undefined): RailReply<T> {
  const { status, headers, text } = answer;
  if (status >= 500) return unknown('5xx');
  if (status === 429) return refused('HTTP 429', 'too-many', waitMsOf(headerOf(headers, 'retry-after')));
  const body = parseJson(text);
  const failure = Failure.safeParse(body).data?.error;
  if (failure) return replyToFailure(failure);
  const success = status < 300 ? Success.safeParse(body).data : undefined;
  const value = success && read(success.data);
  return value === undefined ? unknown('unreadable') : { kind: 'answered', value };
}

function replyToFailure({ code, details }: z.infer<typeof Failure>['error']): Refused | Unknown {
  if (unknownCodes.has(code)) return unknown('rail-unknown');
  const because = known(codes, code);
  if (!because) return unknown('unreadable');
  if (because !== 'fields') return refused(code, because);
  const words = typeof details === 'string' ? details : (JSON.stringify(details) ?? '');
  return refused(code, fieldWords.find(([pattern]) => pattern.test(words))?.[1] ?? 'fields');
}

function waitMsOf(header: string | undefined): number | undefined {
  return retryAfterMs(header, new Date(), RETRY_AFTER_MS_MAX);
}

const whys: Readonly<Record<UnknownReason, RailUnknown>> = {
  timeout: 'timeout',
  'connection-lost': 'reset',
  'answer-unreadable': 'unreadable',
};

/** A call that had no answer. @throws where the error is a mistake of ours, without what it says of the request. */
export function withoutAnswer(error: unknown, signal: AbortSignal): Unknown {
  const reply = replyWithoutAnswer(error, signal);
  if (!reply) throw unexpected(MULTICARD, error);
  return unknown(reply.kind === 'unknown' ? whys[reply.reason] : 'unreachable');
}
