import { z } from 'zod';
import type { JobId } from '../../../domain/shared/ids.ts';
import type { SendReply } from '../../../domain/job/reply.ts';
import { parseJson } from '../../../domain/shared/json.ts';
import { smsSegments } from '../../../domain/shared/sms-segments.ts';
import type { CodeChannel, CodeMessage } from '../../../domain/verify/port.ts';
import type { BalanceReading } from '../../../domain/verify/provider-balance.ts';
import type { AttemptReason } from '../../../domain/reasons.ts';
import { sha256 } from '../../process/crypto.ts';
import { replyToStatus } from '../classify-status.ts';
import { type HttpAnswer, headerOf, keptAlive, post, urlAt } from '../http.ts';
import { known } from '../known-word.ts';
import { addressOf, faulted, refused, replyWithoutAnswer, unexpected, unknown } from '../replies.ts';

export const PLAY_MOBILE_PROVIDER = 'play-mobile';
const API_URL = 'https://send.smsxabar.uz/broker-api';
/** 2 s: the broker names no time with its 429. */
const statusRules = { busyMs: 2_000, paid: true };
/** A message that expires as it is taken helps nobody, and 0 may mean none. */
const TTL_SECONDS_MIN = 1;
/** 20 characters are what the broker takes as message-id: 80 bits, of which two agree in 10^9 messages once in two million times. */
const REFERENCE_CHARS = 20;

export interface PlayMobileOptions {
  readonly login: string;
  readonly password: string;
  /** `3700`, or a name that the broker approved. */
  readonly from: string;
  /** The sandbox in place of send.smsxabar.uz. */
  readonly apiUrl?: string | undefined;
}

/** SMS through Play Mobile of Uzbekistan (contracts §5a): billed by part in soʻm, reported to one address for all messages. */
export function playMobileSms({ login, password, from, apiUrl }: PlayMobileOptions): CodeChannel {
  const agent = keptAlive();
  const url = urlAt(apiUrl ?? API_URL, '/send');
  const { noted, balance } = balanceAsAnswered();
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    authorization: `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`,
  };

  return {
    channel: 'sms',
    provider: PLAY_MOBILE_PROVIDER,
    referenceOf,
    async send(message, signal) {
      const phone = addressOf(PLAY_MOBILE_PROVIDER, message.to.phone);
      if (signal.aborted) return unknown('timeout');
      const reference = referenceOf(message.jobId, message.attempt);
      const body = JSON.stringify({ messages: [messageOf(message, phone, from, reference)] });
      try {
        const answer = await post(agent, { url, headers, body }, signal);
        return noted(replyToAnswer(answer, { reference, text: message.text }));
      } catch (error) {
        const withoutAnswer = replyWithoutAnswer(error, signal);
        if (withoutAnswer) return withoutAnswer;
        throw unexpected(PLAY_MOBILE_PROVIDER, error);
      }
    },
    balance,
  };
}

/** The broker has no question for the balance: it says so when there is none left, until it takes a message again. */
function balanceAsAnswered() {
  let reading: BalanceReading = { kind: 'nothing-new' };
  return {
    noted: (reply: SendReply): SendReply => {
      if (reply.kind === 'accepted') reading = { kind: 'told', micros: null };
      if (reply.kind === 'refused' && reply.reason === ('balance-empty' satisfies AttemptReason))
        reading = { kind: 'told', micros: 0n };
      return reply;
    },
    balance: () => {
      const told = reading;
      reading = { kind: 'nothing-new' };
      return Promise.resolve(told);
    },
  };
}

/** Ours of a message, known before it is sent: its report names nothing else, and the broker refuses it a second time. */
export const referenceOf = (jobId: JobId, attempt: number): string =>
  sha256(`${jobId}-${attempt}`).toString('hex').slice(0, REFERENCE_CHARS);

const messageOf = ({ text, ttlSeconds }: CodeMessage, phone: string, from: string, reference: string) => ({
  recipient: phone.replace(/\D/g, ''),
  'message-id': reference,
  priority: 'realtime',
  sms: {
    originator: from,
    ttl: String(Math.max(Math.trunc(ttlSeconds), TTL_SECONDS_MIN)),
    content: { text },
  },
});

const ACCEPTED = /^"?request is received"?\.?$/i;
const Refusal = z.object({
  error_code: z.union([z.string().min(1), z.int()]).transform(String),
  error_description: z.string().catch(''),
});

/** The broker's codes. Those of what we sent wrong are one reason. */
const refusals: Readonly<Record<string, AttemptReason>> = {
  101: 'message-invalid',
  102: 'credentials',
  103: 'message-invalid',
  104: 'message-invalid',
  202: 'number-invalid',
  205: 'message-invalid',
  206: 'message-invalid',
  // The originator: every message fails alike.
  401: 'credentials',
  403: 'message-invalid',
  404: 'message-invalid',
  405: 'message-invalid',
  406: 'message-invalid',
  407: 'message-invalid',
};
const INTERNAL_ERROR_CODE = '100';
/** Where the code is none of these, its words count: no list of all codes is public. The first that fits decides. */
const refusalWords: readonly (readonly [words: RegExp, reason: AttemptReason | 'duplicate'])[] = [
  [/duplicat|already (exist|received|sent)|not unique|дублик/iu, 'duplicate'],
  [/moderat|not approved|template|модерац|шаблон/iu, 'text-not-moderated'],
  [/balance|money|funds|credit|баланс|средств/iu, 'balance-empty'],
  [/login|password|authori[sz]|originator|account|логин|парол|отправител/iu, 'credentials'],
  [/recipient|msisdn|phone|получател|номер/iu, 'number-invalid'],
];

export interface SentMessage {
  readonly reference: string;
  readonly text: string;
}

/** What an answer of the broker means. */
export function replyToAnswer({ status, headers, text }: HttpAnswer, sent: SentMessage): SendReply {
  if (status === 200 && ACCEPTED.test(text.trim())) return accepted(sent);
  const isOurs = status < 500 && status !== 429;
  const refusal = isOurs ? Refusal.safeParse(parseJson(text)).data : undefined;
  if (refusal) return replyToRefusal(refusal, sent);
  return replyToStatus({ status, retryAfter: headerOf(headers, 'retry-after') }, statusRules);
}

const accepted = ({ reference, text }: SentMessage): SendReply => ({
  kind: 'accepted',
  reference,
  parts: smsSegments(text),
  cost: null,
});

function replyToRefusal(
  { error_code: code, error_description: words }: z.infer<typeof Refusal>,
  sent: SentMessage,
): SendReply {
  const said = `Play Mobile ${code}: ${words}`;
  if (code === INTERNAL_ERROR_CODE) return faulted('provider-internal', undefined, said);
  const reason = known(refusals, code) ?? refusalWords.find(([pattern]) => pattern.test(words))?.[1];
  // Taken before: that answer was lost.
  if (reason === 'duplicate') return accepted(sent);
  // The broker's refusals do not tell a number that is dead for good from one that it can't read.
  return refused(reason ?? 'provider-refused', false, said);
}
