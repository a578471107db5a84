import { AsyncLocalStorage } from 'node:async_hooks';
import twilio from 'twilio';
import { z } from 'zod';
import type { JobId } from '../../../domain/shared/ids.ts';
import type { SendReply } from '../../../domain/job/reply.ts';
import type { CodeChannel, CodeMessage } from '../../../domain/verify/port.ts';
import { type Answered, replyToStatus } from '../classify-status.ts';
import { headerOf, keptAlive, post, urlAt } from '../http.ts';
import { known } from '../known-word.ts';
import { TakenReference } from '../reference.ts';
import { addressOf, refused, replyWithoutAnswer, unexpected, unknown } from '../replies.ts';
import { smsSegments } from '../../../domain/shared/sms-segments.ts';
import type { AttemptReason } from '../../../domain/reasons.ts';

const PROVIDER = 'twilio';
const API_URL = 'https://api.twilio.com';
/** 1 to 36 000 s are what Twilio takes as ValidityPeriod. */
const VALIDITY_SECONDS_MIN = 1;
const VALIDITY_SECONDS_MAX = 36_000;
/** 2 s: Twilio names no time with its 429, and its limits are per second. */
const statusRules = { busyMs: 2_000, paid: true };

export interface TwilioOptions {
  readonly accountSid: string;
  readonly authToken: string;
  /** A number in E.164, a sender name, or a messaging service (`MG…`). */
  readonly from: string;
  /** The sandbox in place of api.twilio.com. */
  readonly apiUrl?: string | undefined;
  /** Where Twilio reports on one attempt. */
  readonly statusCallbackUrl: (jobId: JobId, attempt: number) => string;
}

/** SMS through Twilio's Messages API, by its own package (contracts §5). */
export function twilioSms(options: TwilioOptions): CodeChannel {
  const calls = new AsyncLocalStorage<Call>();
  const client = twilio(options.accountSid, options.authToken, {
    httpClient: new KeptAliveClient(options.apiUrl ?? API_URL, calls),
  });
  const sender = options.from.startsWith('MG')
    ? { messagingServiceSid: options.from }
    : { from: options.from };

  return {
    channel: 'sms',
    provider: PROVIDER,
    async send(message, signal) {
      const to = addressOf(PROVIDER, message.to.phone);
      if (signal.aborted) return unknown('timeout');
      const { jobId, attempt, text: body } = message;
      const call: Call = { signal, idempotencyToken: `${jobId}-${attempt}`, answered: null };
      const statusCallback = options.statusCallbackUrl(jobId, attempt);
      const validityPeriod = Math.min(
        Math.max(Math.trunc(message.ttlSeconds), VALIDITY_SECONDS_MIN),
        VALIDITY_SECONDS_MAX,
      );
      try {
        const created = await calls.run(call, () =>
          client.messages.create({ to, ...sender, body, statusCallback, validityPeriod }),
        );
        return accepted(created, message);
      } catch (error) {
        return replyToError(error, call);
      }
    },
  };
}

/** 24: its longest text, 1600 characters, in parts of 67. */
const PARTS_MAX = 24;
const Created = z.object({
  sid: TakenReference,
  numSegments: z.coerce.number().int().max(PARTS_MAX).catch(0),
});

/** Twilio tells its price only after delivery: the route has it (`SMS_ROUTES`). */
function accepted(created: unknown, message: CodeMessage): SendReply {
  const parsed = Created.safeParse(created);
  if (!parsed.success) return unknown('answer-unreadable');
  const { sid, numSegments } = parsed.data;
  // A messaging service picks its sender later and says 0 until then.
  const parts = numSegments > 0 ? numSegments : smsSegments(message.text);
  return { kind: 'accepted', reference: sid, cost: null, parts };
}

/** The code of Twilio's RestException and TwilioServiceException; the status is the answer's own. */
const TwilioError = z.object({
  status: z.int().min(100),
  code: z.int().optional().catch(undefined),
  message: z.string().catch(''),
});

function replyToError(error: unknown, call: Call): SendReply {
  const withoutAnswer = replyWithoutAnswer(error, call.signal);
  if (withoutAnswer) return withoutAnswer;
  if (!call.answered) throw unexpected(PROVIDER, error);
  // The package parses bodies with JSON.parse, reads fields of what came out, and lets either throw.
  const { code, message } = TwilioError.safeParse(error).data ?? {};
  return replyToAnswer({ ...call.answered, code, message });
}

interface ErrorAnswer extends Answered {
  /** Twilio's own code. */
  readonly code?: number | undefined;
  readonly message?: string | undefined;
}

/** Twilio's codes of a message that no retry can deliver. `dead`: the number itself can take no SMS. */
const refusals: Readonly<Record<number, { reason: AttemptReason; dead: boolean }>> = {
  21211: { reason: 'number-invalid', dead: true },
  21408: { reason: 'region-not-enabled', dead: false },
  // Lasts until that person writes START.
  21610: { reason: 'unsubscribed', dead: false },
  21614: { reason: 'not-a-mobile', dead: true },
  // Switched off or out of reach: often only for now.
  30003: { reason: 'number-unreachable', dead: false },
  30005: { reason: 'number-unknown', dead: true },
  30006: { reason: 'landline', dead: true },
  30007: { reason: 'filtered', dead: false },
  // What we sent is wrong: text, callback address or validity.
  21602: { reason: 'message-invalid', dead: false },
  21604: { reason: 'message-invalid', dead: false },
  21609: { reason: 'message-invalid', dead: false },
  21617: { reason: 'message-invalid', dead: false },
  21624: { reason: 'message-invalid', dead: false },
  // The account, its key or its sender is wrong, so that every message fails alike.
  20003: { reason: 'credentials', dead: false },
  20005: { reason: 'credentials', dead: false },
  20404: { reason: 'credentials', dead: false },
  21212: { reason: 'credentials', dead: false },
  21603: { reason: 'credentials', dead: false },
  21606: { reason: 'credentials', dead: false },
  21659: { reason: 'credentials', dead: false },
  30002: { reason: 'credentials', dead: false },
};
const TOO_MANY_REQUESTS_CODE = 20429;

/** What an error answer of Twilio means. */
export function replyToAnswer({ status, code, message = '', retryAfter }: ErrorAnswer): SendReply {
  // Without a code of Twilio's the package words the error itself, or quotes a front end.
  const said = code === undefined ? undefined : `Twilio ${code}: ${message}`;
  if (code === TOO_MANY_REQUESTS_CODE) return replyToStatus({ status: 429, retryAfter }, statusRules);
  const refusal = code === undefined || status >= 500 || status === 429 ? undefined : known(refusals, code);
  return refusal
    ? refused(refusal.reason, refusal.dead, said)
    : replyToStatus({ status, retryAfter }, statusRules, said);
}

/** What one call carries past the package, which knows neither signals nor headers of its caller's. */
interface Call {
  readonly signal: AbortSignal;
  readonly idempotencyToken: string;
  /** What came back: the package's errors drop the headers, and some of its answers are no errors of its own. */
  answered: Answered | null;
}

/** The package's own client has no signal and a fixed host; this one has both, and keeps its connections. */
class KeptAliveClient extends twilio.RequestClient {
  readonly #apiUrl: string;
  readonly #calls: AsyncLocalStorage<Call>;
  readonly #agent = keptAlive();

  constructor(apiUrl: string, calls: AsyncLocalStorage<Call>) {
    super();
    this.#apiUrl = apiUrl;
    this.#calls = calls;
  }

  override async request<Data>(options: RequestOptions<Data>): Promise<Answer<Data>> {
    const call = this.#calls.getStore();
    if (!call) throw new Error('a request outside a send');
    const { pathname, search } = new URL(options.uri);
    const answer = await post(
      this.#agent,
      {
        url: urlAt(this.#apiUrl, `${pathname}${search}`),
        headers: headersOf(options, call),
        body: formOf(options.data),
      },
      call.signal,
    );
    call.answered = { status: answer.status, retryAfter: headerOf(answer.headers, 'retry-after') };
    // The package parses text itself, and its type says that the parsed body is what comes back.
    return {
      statusCode: answer.status,
      body: answer.text as Data,
      headers: answer.headers,
      toString: () => '',
    };
  }
}

type RequestOptions<Data> = Parameters<typeof twilio.RequestClient.prototype.request<Data>>[0];
type Answer<Data> = Awaited<ReturnType<typeof twilio.RequestClient.prototype.request<Data>>>;

function headersOf(options: RequestOptions<unknown>, call: Call): Record<string, string> {
  const given = Object.entries<unknown>(options.headers ?? {});
  return {
    ...Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), String(value)])),
    'content-type': 'application/x-www-form-urlencoded',
    authorization: `Basic ${Buffer.from(`${options.username}:${options.password}`).toString('base64')}`,
    'i-twilio-idempotency-token': call.idempotencyToken,
  };
}

/** What the package has made of a message's fields. */
const Form = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).optional());

function formOf(data: unknown): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(Form.parse(data))) {
    if (value !== undefined) form.append(name, String(value));
  }
  return form.toString();
}
