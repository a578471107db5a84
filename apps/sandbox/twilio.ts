import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { isCallbackUrl } from './caller.ts';
import { type Answer, type Incoming, json, readFields, type Reply } from './http.ts';
import type { Message, Status } from './message.ts';
import { smsSegments } from '../../domain/shared/sms-segments.ts';
import { reportStatus } from './twilio-callback.ts';
import { TWILIO_DELIVERY_ERRORS, TWILIO_ERRORS, type TwilioErrorCode } from './twilio-errors.ts';
import { type FaultOutcome, type Dialect, underFault } from './under-fault.ts';
import type { World } from './world.ts';

export const TWILIO_PATH = '/2010-04-01/';
const API_VERSION = '2010-04-01';
/** Twilio's own limits, of a text and of ValidityPeriod (10 h). */
const BODY_CHARS_MAX = 1600;
const VALIDITY_SECONDS_MAX = 36_000;
/** 200 000 tokens, about 40 MB: a minute of full load, so that a retry after a kill still finds its first try. */
const TOKENS_MAX = 200_000;
const PAGE_SIZE_DEFAULT = 50;
const PAGE_SIZE_MAX = 1000;

const PHONE = /^\+[1-9]\d{6,14}$/;
/** A sender may also be a short code or a name of up to 11 characters. */
const SENDER = /^(\+[1-9]\d{6,14}|\d{3,8}|[A-Za-z0-9 ]{1,11})$/;

const Parameters = z.object({
  To: z.string().default(''),
  From: z.string().default(''),
  MessagingServiceSid: z.string().default(''),
  Body: z.string().default(''),
  StatusCallback: z.string().default(''),
  ValidityPeriod: z.string().optional(),
});
type Parameters = z.infer<typeof Parameters>;

interface Account {
  sid: string;
  authToken: string;
}

const dialect: Dialect = {
  rejected: (code) => failure(code in TWILIO_ERRORS ? (Number(code) as TwilioErrorCode) : 20404),
  rateLimited: (seconds) => failure(20429, undefined, { 'retry-after': String(seconds) }),
  failed: (status) =>
    json(status, {
      code: 20500,
      message: 'An internal server error has occurred',
      more_info: moreInfo(20500),
      status,
    }),
};

/** Twilio's Messages resource. */
export class Twilio {
  readonly #world: World;
  /** Token → sid; the oldest leave first. */
  readonly #tokens = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
    for (const message of world.inbox.list({ channel: 'sms', provider: 'twilio' }))
      this.#rememberToken(message);
  }

  async answer(incoming: Incoming): Promise<Reply> {
    Object.assign(incoming.trace, { channel: 'sms', provider: 'twilio' });
    const account = this.#authenticate(incoming);
    if (!account) return failure(20003, undefined, { 'www-authenticate': 'Basic realm="Twilio API"' });
    const resource = resourceOf(incoming.path, account.sid);
    if (resource === 'Messages' && incoming.method === 'POST') return this.#create(incoming, account);
    if (incoming.method !== 'GET' || resource === undefined) return notFound(incoming.path);
    if (resource === 'Messages') return this.#list(incoming, account);
    const message = this.#world.inbox.byReference('sms', resource);
    return message ? json(200, resourceBody(message, account.sid)) : notFound(incoming.path);
  }

  async #create(incoming: Incoming, account: Account): Promise<Reply> {
    const { trace } = incoming;
    trace.method = 'Messages.create';
    const parameters = Parameters.safeParse(await readFields(incoming));
    if (!parameters.success) return failure(21604);
    const token = headerOf(incoming, 'i-twilio-idempotency-token');
    trace.to = parameters.data.To;
    if (token !== undefined) trace.idempotency_key = token;
    const problem = problemOf(parameters.data);
    const fault = this.#world.faults.take({
      channel: 'sms',
      provider: 'twilio',
      to: parameters.data.To,
      method: 'Messages.create',
      sends: true,
    });
    return underFault(fault, { dialect, timers: this.#world.timers, trace }, (faultOutcome) => {
      if (problem) return problem;
      const message = this.#messageOnce(parameters.data, account, faultOutcome, token);
      trace.message_id = message.id;
      return json(
        201,
        resourceBody(
          message,
          account.sid,
          parameters.data.MessagingServiceSid === '' ? 'queued' : 'accepted',
        ),
        {
          'twilio-request-id': `RQ${hexId()}`,
        },
      );
    });
  }

  /** One token, one message: a repeat gets the first one's answer. */
  #messageOnce(
    parameters: Parameters,
    account: Account,
    faultOutcome: FaultOutcome,
    token: string | undefined,
  ): Message {
    const known = token === undefined ? undefined : this.#tokens.get(token);
    if (known === undefined) return this.#accept(parameters, account, faultOutcome, token);
    return (
      this.#world.inbox.byReference('sms', known) ?? forgottenMessage(known, parameters, this.#world.clock())
    );
  }

  #accept(
    parameters: Parameters,
    account: Account,
    faultOutcome: FaultOutcome,
    token: string | undefined,
  ): Message {
    const message = this.#world.inbox.add({
      channel: 'sms',
      provider: 'twilio',
      to: parameters.To,
      from: parameters.From === '' ? parameters.MessagingServiceSid : parameters.From,
      text: parameters.Body,
      provider_reference: `SM${hexId()}`,
      ...(token === undefined ? {} : { idempotency_key: token }),
      status: 'queued',
      fate: faultOutcome.fate,
      ...(faultOutcome.errorCode === undefined ? {} : { error_code: faultOutcome.errorCode }),
      details: detailsOf(parameters),
    });
    this.#rememberToken(message);
    const reported = faultOutcome.says === 'delivered' ? 'delivered' : message.fate;
    this.#advance(message, reported, account, parameters.StatusCallback);
    return message;
  }

  /** queued → sent → its fate, a step at a time, each reported to the callback. */
  #advance(message: Message, fate: Message['fate'], account: Account, url: string): void {
    const steps = ['queued', 'sent', ...lastSteps[fate]] satisfies Status[];
    steps.forEach((status, index) => {
      this.#world.timers.after(this.#world.timing.stepMs * (index + 1), () => {
        if (message.status !== 'deleted') message.status = status;
        if (url !== '') reportStatus(this.#world, { message, status, account, url, apiVersion: API_VERSION });
      });
    });
  }

  #authenticate({ headers, path }: Incoming): Account | undefined {
    const basic = /^Basic ([A-Za-z0-9+/=]+)$/.exec(headers.authorization ?? '')?.[1];
    const sid = /^\/2010-04-01\/Accounts\/(AC[0-9A-Za-z]+)/.exec(path)?.[1];
    if (basic === undefined || sid === undefined) return undefined;
    const [user = '', ...rest] = Buffer.from(basic, 'base64').toString().split(':');
    const authToken = rest.join(':');
    const expected = this.#world.credentials.twilio;
    if (
      expected &&
      (user !== expected.accountSid || authToken !== expected.authToken || sid !== expected.accountSid)
    )
      return undefined;
    return user === sid && authToken !== '' ? { sid, authToken } : undefined;
  }

  #list({ query, path }: Incoming, account: Account): Answer {
    const size = Math.min(Number(query.get('PageSize')) || PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
    const messages = this.#world.inbox.list({
      channel: 'sms',
      provider: 'twilio',
      to: query.get('To') ?? undefined,
      limit: size,
    });
    const uri = `${path}?PageSize=${size}&Page=0`;
    return json(200, {
      messages: messages.toReversed().map((message) => resourceBody(message, account.sid)),
      page: 0,
      page_size: size,
      start: 0,
      end: Math.max(messages.length - 1, 0),
      uri,
      first_page_uri: uri,
      next_page_uri: null,
      previous_page_uri: null,
    });
  }

  #rememberToken({ idempotency_key, provider_reference }: Message): void {
    if (idempotency_key === undefined) return;
    this.#tokens.set(idempotency_key, provider_reference);
    if (this.#tokens.size <= TOKENS_MAX) return;
    for (const oldest of this.#tokens.keys()) {
      this.#tokens.delete(oldest);
      return;
    }
  }
}

const lastSteps = { delivered: ['delivered'], lost: [], undelivered: ['undelivered'] } satisfies Record<
  Message['fate'],
  Status[]
>;

/** `Messages`, a message's sid, or undefined where the path is none of this account's. */
function resourceOf(path: string, accountSid: string): string | undefined {
  const root = `/${API_VERSION}/Accounts/${accountSid}/`;
  if (!path.startsWith(root)) return undefined;
  return /^(?:(Messages)|Messages\/(SM[0-9a-f]{32}))\.json$/
    .exec(path.slice(root.length))
    ?.slice(1)
    .find(Boolean);
}

/** Checked in the order that Twilio checks: recipient, sender, text, the rest. */
function problemOf(parameters: Parameters): Answer | undefined {
  const { To, From, Body, StatusCallback, ValidityPeriod, MessagingServiceSid } = parameters;
  if (To === '') return failure(21604);
  if (!PHONE.test(To)) return failure(21211, `Invalid 'To' Phone Number: ${To}`);
  if (From === '' && MessagingServiceSid === '') return failure(21603);
  if (From !== '' && !SENDER.test(From)) return failure(21212, `Invalid 'From' Phone Number: ${From}`);
  if (To === From) return failure(21266);
  if (Body === '') return failure(21602);
  if (Body.length > BODY_CHARS_MAX) return failure(21617);
  if (StatusCallback !== '' && !isCallbackUrl(StatusCallback)) return failure(21609);
  const seconds = Number(ValidityPeriod ?? VALIDITY_SECONDS_MAX);
  return Number.isInteger(seconds) && seconds >= 1 && seconds <= VALIDITY_SECONDS_MAX
    ? undefined
    : failure(21624);
}

function detailsOf(parameters: Parameters): Message['details'] {
  const { MessagingServiceSid, ValidityPeriod } = parameters;
  return {
    ...(MessagingServiceSid === '' ? {} : { messaging_service_sid: MessagingServiceSid }),
    ...(ValidityPeriod === undefined ? {} : { validity_period: ValidityPeriod }),
  };
}

/** Stands in for a message that left the inbox: the caller repeats what it sent, so the answer can be made of that. */
function forgottenMessage(sid: string, parameters: Parameters, now: Date): Message {
  return {
    id: '',
    channel: 'sms',
    to: parameters.To,
    from: parameters.From,
    text: parameters.Body,
    received_at: now.toISOString(),
    provider_reference: sid,
    status: 'queued',
    fate: 'delivered',
    details: detailsOf(parameters),
  };
}

function resourceBody(message: Message, accountSid: string, status: Status = message.status): object {
  const { to, from, text, provider_reference: sid, details } = message;
  const date = rfc2822(message.received_at);
  const uri = `/${API_VERSION}/Accounts/${accountSid}/Messages/${sid}`;
  const failed = status === 'undelivered' || status === 'failed' ? (message.error_code ?? null) : null;
  const texts: Record<number | string, string> = TWILIO_DELIVERY_ERRORS;
  return {
    account_sid: accountSid,
    api_version: API_VERSION,
    body: text,
    date_created: date,
    date_sent: status === 'queued' || status === 'accepted' ? null : date,
    date_updated: date,
    direction: 'outbound-api',
    error_code: failed,
    error_message: failed === null ? null : (texts[failed] ?? null),
    from: from.startsWith('MG') ? null : from,
    messaging_service_sid: details['messaging_service_sid'] ?? null,
    num_media: '0',
    num_segments: String(smsSegments(text)),
    price: null,
    price_unit: 'USD',
    sid,
    status,
    subresource_uris: { media: `${uri}/Media.json` },
    tags: null,
    to,
    uri: `${uri}.json`,
  };
}

function failure(
  code: TwilioErrorCode,
  message: string = TWILIO_ERRORS[code].message,
  headers: Record<string, string> = {},
): Answer {
  const { status } = TWILIO_ERRORS[code];
  return json(status, { code, message, more_info: moreInfo(code), status }, headers);
}

function notFound(path: string): Answer {
  return failure(20404, `The requested resource ${path} was not found`);
}

function moreInfo(code: number): string {
  return `https://www.twilio.com/docs/errors/${code}`;
}

function headerOf({ headers }: Incoming, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function hexId(): string {
  return randomUUID().replaceAll('-', '');
}

/** `Fri, 20 Nov 2026 09:00:00 +0000`. */
function rfc2822(iso: string): string {
  return new Date(iso).toUTCString().replace('GMT', '+0000');
}
