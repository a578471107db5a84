import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { smsSegments } from '../../domain/shared/sms-segments.ts';
import { isCallbackUrl } from './caller.ts';
import { EskizAccount } from './eskiz-account.ts';
import { reportStatus, wordOf } from './eskiz-callback.ts';
import { ESKIZ_ERRORS, type EskizErrorCode } from './eskiz-errors.ts';
import { type Answer, type Incoming, json, readFields, type Reply } from './http.ts';
import type { Message } from './message.ts';
import { reportSteps } from './sms-reports.ts';
import { type Dialect, type FaultOutcome, underFault } from './under-fault.ts';
import type { World } from './world.ts';

export const ESKIZ_PATH = '/eskiz/';
/** A process has one at a time; the oldest leave first. */
const TOKENS_MAX = 1_000;
const TEXT_CHARS_MAX = 2_000;
const BATCH_MAX = 200;

const Login = z.object({ email: z.string().min(1), password: z.string().min(1) });
const Sms = z.object({
  mobile_phone: z.coerce.string().regex(/^[1-9]\d{6,14}$/),
  message: z.string().min(1).max(TEXT_CHARS_MAX),
  from: z.coerce.string().min(1),
  callback_url: z.string().refine(isCallbackUrl).optional(),
  user_sms_id: z.coerce.string().default(''),
});
type Sms = z.infer<typeof Sms>;
const Batch = z.object({
  messages: z
    .array(z.object({ user_sms_id: z.coerce.string(), to: z.coerce.string(), text: z.string() }))
    .min(1)
    .max(BATCH_MAX),
  from: z.coerce.string().min(1),
  callback_url: z.string().refine(isCallbackUrl).optional(),
});

/** Eskiz of Uzbekistan: codes by SMS, with moderation and a balance (contracts §5a). */
export class Eskiz {
  readonly account = new EskizAccount();
  readonly #world: World;
  /** Token → when it ends. */
  readonly #tokens = new Map<string, number>();
  readonly #dialect: Dialect;

  constructor(world: World) {
    this.#world = world;
    this.#dialect = {
      rejected: (code) => {
        // All that were given have ended, so that a login helps.
        if (code === 'token-expired') this.#tokens.clear();
        return failure(Object.hasOwn(ESKIZ_ERRORS, code) ? (code as EskizErrorCode) : 'refused');
      },
      rateLimited: (seconds) =>
        json(429, { message: 'Too Many Attempts.' }, { 'retry-after': String(seconds) }),
      failed: (status) => json(status, { message: 'Server Error' }),
    };
  }

  async answer(incoming: Incoming): Promise<Reply> {
    const { method, path, trace } = incoming;
    Object.assign(trace, { channel: 'sms', provider: 'eskiz' });
    trace.method = path.slice(ESKIZ_PATH.length);
    const call = `${method} /${trace.method}`;
    if (call === 'POST /auth/login')
      return this.#underFault(incoming, '*', false, () => this.#login(incoming));
    const token = /^Bearer (\S+)$/.exec(incoming.headers.authorization ?? '')?.[1];
    const expiresAt = token === undefined ? undefined : this.#tokens.get(token);
    if (token === undefined) return failure('unauthenticated');
    if (expiresAt === undefined || expiresAt <= this.#world.clock().getTime())
      return failure('token-expired');
    if (call === 'POST /message/sms/send') return this.#send(incoming);
    return this.#underFault(incoming, '*', false, () => this.#answerTo(call, incoming, token));
  }

  #answerTo(call: string, incoming: Incoming, token: string): Promise<Answer> | Answer {
    const { account } = this;
    const id = /^GET \/message\/sms\/status_by_id\/([^/]+)$/.exec(call)?.[1];
    if (id !== undefined) return this.#status(id);
    switch (call) {
      case 'PATCH /auth/refresh':
        this.#tokens.delete(token);
        return this.#grant();
      case 'GET /auth/user':
        return json(200, { data: { role: account.isTest ? 'test' : 'user', status: 'active' } });
      case 'GET /user/get-limit':
        return json(200, { data: { balance: account.balanceUzs } });
      case 'GET /user/templates':
        return json(200, {
          success: true,
          result: account.templates.map((template, n) => ({ id: n + 1, ...template })),
        });
      case 'POST /message/sms/send-batch':
        return this.#sendBatch(incoming);
      default:
        return json(404, { message: 'Not Found' });
    }
  }

  async #login(incoming: Incoming): Promise<Answer> {
    const login = Login.safeParse(await readFields(incoming)).data;
    const { eskiz: expected } = this.#world.credentials;
    const isRight =
      login && (!expected || (login.email === expected.email && login.password === expected.password));
    return isRight ? this.#grant() : json(401, { message: 'Invalid credentials.' });
  }

  /** A JWT by its form, with the time at which it ends. */
  #grant(): Answer {
    const expiresAt = this.#world.clock().getTime() + this.account.tokenSeconds * 1_000;
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { exp: Math.floor(expiresAt / 1_000), role: 'user' };
    const token = [
      part({ typ: 'JWT', alg: 'HS256' }),
      part(claims),
      randomBytes(32).toString('base64url'),
    ].join('.');
    this.#tokens.set(token, expiresAt);
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size > TOKENS_MAX && oldest !== undefined) this.#tokens.delete(oldest);
    return json(200, { message: 'token_generated', data: { token }, token_type: 'bearer' });
  }

  async #send(incoming: Incoming): Promise<Reply> {
    const { trace } = incoming;
    const fields = (await readFields(incoming)) ?? {};
    const phone = fields['mobile_phone'];
    trace.to = typeof phone === 'string' ? `+${phone}` : '';
    const sms = Sms.safeParse(fields);
    return this.#underFault(incoming, trace.to, true, (outcome) => {
      if (!sms.success) {
        const isPhone = sms.error.issues.some(({ path }) => path[0] === 'mobile_phone');
        return isPhone ? failure('number-invalid') : json(422, { message: z.prettifyError(sms.error) });
      }
      const message = this.#accept(sms.data, outcome);
      if (typeof message === 'string') return failure(message);
      trace.message_id = message.id;
      return json(200, {
        id: message.provider_reference,
        message: 'Waiting for SMS provider',
        status: 'waiting',
      });
    });
  }

  /** Each of them as it would be alone. */
  async #sendBatch(incoming: Incoming): Promise<Answer> {
    const batch = Batch.safeParse(await readFields(incoming));
    if (!batch.success) return json(422, { message: z.prettifyError(batch.error) });
    const { messages, from, callback_url } = batch.data;
    const status = messages.map(({ user_sms_id, to, text }) => {
      const sms = Sms.safeParse({ mobile_phone: to, message: text, from, callback_url, user_sms_id });
      const message = sms.success ? this.#accept(sms.data, { fate: 'delivered' }) : 'number-invalid';
      return typeof message === 'string' ? 'error' : 'waiting';
    });
    return json(200, { id: randomUUID(), message: 'Waiting for SMS provider', status });
  }

  #accept(sms: Sms, outcome: FaultOutcome): Message | EskizErrorCode {
    const refusal = this.account.charge(sms.message, smsSegments(sms.message));
    if (refusal !== null) return refusal;
    const message = this.#world.inbox.add({
      channel: 'sms',
      provider: 'eskiz',
      to: `+${sms.mobile_phone}`,
      from: sms.from,
      text: sms.message,
      provider_reference: randomUUID(),
      idempotency_key: sms.user_sms_id,
      status: 'queued',
      fate: outcome.fate,
      ...(outcome.errorCode === undefined ? {} : { error_code: outcome.errorCode }),
      details: { user_sms_id: sms.user_sms_id },
    });
    reportSteps(this.#world, message, outcome, (status, proven) => {
      if (sms.callback_url !== undefined)
        reportStatus(this.#world, { message, status, url: sms.callback_url, proven });
    });
    return message;
  }

  #status(id: string): Answer {
    const message = this.#world.inbox.byReference('sms', id);
    if (message?.provider !== 'eskiz') return json(404, { message: 'Not Found' });
    const { details, text } = message;
    return json(200, {
      data: {
        id,
        user_sms_id: details['user_sms_id'],
        status: wordOf(message),
        parts_count: smsSegments(text),
      },
    });
  }

  #underFault(
    incoming: Incoming,
    to: string,
    sends: boolean,
    accept: (outcome: FaultOutcome) => Promise<Reply> | Reply,
  ): Promise<Reply> {
    const { trace } = incoming;
    const { faults, timers } = this.#world;
    const fault = faults.take({ channel: 'sms', provider: 'eskiz', to, method: trace.method ?? '', sends });
    return underFault(fault, { dialect: this.#dialect, timers, trace }, accept);
  }
}

function failure(code: EskizErrorCode): Answer {
  const { status, message } = ESKIZ_ERRORS[code];
  return json(status, { status: 'error', message });
}
