import { createHash, createHmac, randomInt, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { isCallbackUrl } from './caller.ts';
import type { GatewayError } from './gateway-errors.ts';
import { type Answer, type Fields, type Incoming, json, readFields, type Reply } from './http.ts';
import type { Message, Status } from './message.ts';
import { type FaultOutcome, type Dialect, underFault } from './under-fault.ts';
import type { World } from './world.ts';

export const GATEWAY_PATH = '/gateway/';
/** The Gateway's own limits. */
const TTL_SECONDS_MIN = 30;
const TTL_SECONDS_MAX = 3600;
const PAYLOAD_BYTES_MAX = 128;
const CALLBACK_URL_CHARS_MAX = 256;
const CALLBACK_TRIES_MAX = 10;
/** Told by no document: a person has mistyped by then. */
const CODE_CHECKS_MAX = 5;
const CODE_LENGTH_DEFAULT = 6;
/** In hundredths of a dollar: a message costs one, the account starts with a hundred dollars (and may go below zero here). */
const COST_CENTS = 1;
const BALANCE_CENTS = 10_000;
/** 20 000 abilities asked for and not used. */
const ABILITIES_MAX = 20_000;

const PHONE = /^\+[1-9]\d{6,14}$/;
const Whole = z.coerce.number().int();
const Send = z.object({
  phone_number: z.string().default(''),
  request_id: z.string().optional(),
  sender_username: z.string().optional(),
  code: z.coerce.string().optional(),
  code_length: Whole.min(4).max(8).catch(0).optional(),
  callback_url: z.string().optional(),
  payload: z.coerce.string().optional(),
  ttl: Whole.min(TTL_SECONDS_MIN).max(TTL_SECONDS_MAX).catch(0).optional(),
});
type Send = z.infer<typeof Send>;
const OfRequest = z.object({ request_id: z.string().default(''), code: z.coerce.string().optional() });

/** What the sandbox remembers of a message beside what the inbox shows. */
const Kept = z.object({
  code: z.string(),
  ttl: z.number().optional(),
  payload: z.string().optional(),
  checks: z.number().default(0),
  verification: z.string().optional(),
  code_entered: z.string().optional(),
  refunded: z.boolean().default(false),
  updated_at: z.number(),
});

const failure = (error: string): Answer => json(200, { ok: false, error });
const named = (error: GatewayError): Answer => failure(error);
const success = (result: unknown): Answer => json(200, { ok: true, result });

const dialect: Dialect = {
  rejected: failure,
  rateLimited: (seconds) => failure(`FLOOD_WAIT_${seconds}`),
  failed: (status) => json(status, { ok: false, error: 'INTERNAL_SERVER_ERROR' }),
};

/** The Telegram Gateway: codes by phone number. */
export class Gateway {
  readonly #world: World;
  /** Request ids that `checkSendAbility` gave, with the phone that was paid for. */
  readonly #abilities = new Map<string, string>();
  #balanceCents = BALANCE_CENTS;

  constructor(world: World) {
    this.#world = world;
  }

  async answer(incoming: Incoming): Promise<Reply> {
    const { trace } = incoming;
    trace.channel = 'telegram-gateway';
    const fields = await readFields(incoming);
    const token = tokenOf(incoming, fields);
    const expected = this.#world.credentials.telegramGatewayToken;
    if (token === undefined || (expected !== undefined && token !== expected))
      return named('ACCESS_TOKEN_INVALID');
    trace.method = incoming.path.slice(GATEWAY_PATH.length);
    switch (trace.method.toLowerCase()) {
      case 'sendverificationmessage':
        return this.#send(incoming, fields ?? {}, token);
      case 'checksendability':
        return this.#checkSendAbility(incoming, fields ?? {});
      case 'checkverificationstatus':
        return this.#checkVerification(fields ?? {});
      case 'revokeverificationmessage':
        return this.#revoke(fields ?? {});
      default:
        return named('METHOD_NOT_FOUND');
    }
  }

  #checkSendAbility(incoming: Incoming, fields: Fields): Promise<Reply> {
    const phone = typeof fields['phone_number'] === 'string' ? fields['phone_number'] : '';
    return this.#underFault(incoming, phone, 'checkSendAbility', () => {
      if (!PHONE.test(phone)) return named('PHONE_NUMBER_INVALID');
      const requestId = newRequestId();
      if (this.#abilities.size >= ABILITIES_MAX) this.#abilities.clear();
      this.#abilities.set(requestId, phone);
      return success({ request_id: requestId, phone_number: phone, ...this.#charge(COST_CENTS) });
    });
  }

  async #send(incoming: Incoming, fields: Fields, token: string): Promise<Reply> {
    const request = Send.safeParse(fields);
    if (!request.success) return named('PHONE_NUMBER_INVALID');
    return this.#underFault(
      incoming,
      request.data.phone_number,
      'sendVerificationMessage',
      (faultOutcome) => {
        const error = this.#problemOf(request.data);
        if (error) return named(error);
        const free = request.data.request_id !== undefined && this.#abilities.delete(request.data.request_id);
        const charge = this.#charge(free ? 0 : COST_CENTS);
        const message = this.#accept(request.data, faultOutcome);
        incoming.trace.message_id = message.id;
        this.#advance(message, { token, url: request.data.callback_url });
        return success({ ...statusBody(message), ...charge });
      },
    );
  }

  #underFault(
    incoming: Incoming,
    phone: string,
    method: string,
    accept: (faultOutcome: FaultOutcome) => Reply,
  ): Promise<Reply> {
    const { trace } = incoming;
    trace.to = phone;
    const fault = this.#world.faults.take({ channel: 'telegram-gateway', to: phone, method, sends: true });
    return underFault(fault, { dialect, timers: this.#world.timers, trace }, accept);
  }

  #problemOf(request: Send): GatewayError | undefined {
    const { phone_number, request_id, code, code_length, callback_url, payload = '', ttl } = request;
    if (!PHONE.test(phone_number)) return 'PHONE_NUMBER_INVALID';
    if (request_id !== undefined && this.#world.inbox.byReference('telegram-gateway', request_id))
      return 'MESSAGE_ALREADY_SENT';
    if (request_id !== undefined && this.#abilities.get(request_id) !== phone_number)
      return 'REQUEST_ID_INVALID';
    if (code !== undefined && !/^\d{4,8}$/.test(code)) return 'CODE_INVALID';
    if (code_length === 0) return 'CODE_LENGTH_INVALID';
    if (
      callback_url !== undefined &&
      (callback_url.length > CALLBACK_URL_CHARS_MAX || !isCallbackUrl(callback_url))
    )
      return 'CALLBACK_URL_INVALID';
    if (Buffer.byteLength(payload) > PAYLOAD_BYTES_MAX) return 'PAYLOAD_INVALID';
    return ttl === 0 ? 'TTL_INVALID' : undefined;
  }

  #accept(request: Send, faultOutcome: FaultOutcome): Message {
    const code = request.code ?? randomCode(request.code_length ?? CODE_LENGTH_DEFAULT);
    return this.#world.inbox.add({
      channel: 'telegram-gateway',
      to: request.phone_number,
      from: request.sender_username ?? 'VerificationCodes',
      // The real Gateway writes the text itself; this is what a person would read of it.
      text: `Your code: ${code}`,
      provider_reference: request.request_id ?? newRequestId(),
      status: 'sent',
      fate: faultOutcome.fate,
      details: {
        code,
        updated_at: this.#nowSeconds(),
        ...(request.ttl !== undefined && { ttl: request.ttl }),
        ...(request.payload !== undefined && { payload: request.payload }),
      },
    });
  }

  /** sent → delivered; a message that never arrives expires with its ttl, at once when ordered as undelivered. */
  #advance(message: Message, callback: { token: string; url: string | undefined }): void {
    const { timers, timing } = this.#world;
    timers.after(timing.stepMs, () => this.#report(message, callback));
    const { ttl } = Kept.parse(message.details);
    if (message.fate === 'delivered')
      timers.after(timing.stepMs * 2, () => this.#step(message, 'delivered', callback));
    else if (message.fate === 'undelivered')
      timers.after(timing.stepMs * 2, () => this.#step(message, 'expired', callback));
    else if (ttl !== undefined) timers.after(ttl * 1000, () => this.#step(message, 'expired', callback));
  }

  #step(message: Message, status: Status, callback: { token: string; url: string | undefined }): void {
    if (message.status === 'revoked') return;
    message.status = status;
    message.details = {
      ...message.details,
      updated_at: this.#nowSeconds(),
      ...(status === 'expired' && { refunded: true }),
    };
    if (status === 'expired') this.#balanceCents += COST_CENTS;
    this.#report(message, callback);
  }

  /** A RequestStatus to the callback address, signed with the time of each try, until 200. */
  #report(message: Message, { token, url }: { token: string; url: string | undefined }): void {
    if (url === undefined) return;
    const body = JSON.stringify(statusBody(message));
    void this.#world.caller.deliver({
      url,
      compose: () => {
        const timestamp = String(this.#nowSeconds());
        const signature = gatewaySignature(token, timestamp, body);
        return {
          body,
          headers: {
            'content-type': 'application/json',
            'x-request-timestamp': timestamp,
            'x-request-signature': signature,
          },
        };
      },
      accepts: (status) => status === 200,
      triesMax: CALLBACK_TRIES_MAX,
      pauseMs: this.#world.timing.callbackPauseMs,
    });
  }

  #checkVerification(fields: Fields): Reply {
    const { message, code } = this.#find(fields);
    if (!message) return named('REQUEST_ID_INVALID');
    if (code !== undefined) this.#world.inbox.amend(message, { details: this.#checked(message, code) });
    return success(statusBody(message));
  }

  #checked(message: Message, code: string): Message['details'] {
    const kept = Kept.parse(message.details);
    const ttlMs = (kept.ttl ?? TTL_SECONDS_MAX) * 1000;
    const expired = this.#world.clock().getTime() > Date.parse(message.received_at) + ttlMs;
    const checks = kept.checks + 1;
    const verification = expired
      ? 'expired'
      : checks > CODE_CHECKS_MAX
        ? 'code_max_attempts_exceeded'
        : code === kept.code
          ? 'code_valid'
          : 'code_invalid';
    return { checks, verification, code_entered: code, updated_at: this.#nowSeconds() };
  }

  #revoke(fields: Fields): Reply {
    const { message } = this.#find(fields);
    if (!message) return named('REQUEST_ID_INVALID');
    // What was delivered or read stays with the person.
    if (message.status === 'sent') this.#world.inbox.amend(message, { status: 'revoked' });
    return success(true);
  }

  #find(fields: Fields): { message: Message | undefined; code: string | undefined } {
    const { data } = OfRequest.safeParse(fields);
    return {
      message: data && this.#world.inbox.byReference('telegram-gateway', data.request_id),
      code: data?.code,
    };
  }

  #charge(cents: number): Fields {
    this.#balanceCents -= cents;
    const cost = { request_cost: cents / 100 };
    return cents === 0 ? cost : { ...cost, remaining_balance: this.#balanceCents / 100 };
  }

  #nowSeconds(): number {
    return Math.floor(this.#world.clock().getTime() / 1000);
  }
}

/** hex(HMAC-SHA256(SHA256(token) as bytes, timestamp + "\n" + raw body)). */
function gatewaySignature(token: string, timestamp: string, body: string): string {
  const key = createHash('sha256').update(token).digest();
  return createHmac('sha256', key).update(`${timestamp}\n${body}`).digest('hex');
}

/** A RequestStatus as the Gateway shows it. */
function statusBody(message: Message): Fields {
  const kept = Kept.parse(message.details);
  return {
    request_id: message.provider_reference,
    phone_number: message.to,
    request_cost: kept.refunded ? 0 : COST_CENTS / 100,
    ...(kept.refunded && { is_refunded: true }),
    delivery_status: { status: message.status, updated_at: kept.updated_at },
    ...(kept.verification !== undefined && {
      verification_status: {
        status: kept.verification,
        updated_at: kept.updated_at,
        code_entered: kept.code_entered,
      },
    }),
    ...(kept.payload !== undefined && { payload: kept.payload }),
  };
}

/** In the header, or as the parameter `access_token`. */
function tokenOf({ headers }: Incoming, fields: Fields | undefined): string | undefined {
  const bearer = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
  const parameter = fields?.['access_token'];
  return bearer ?? (typeof parameter === 'string' && parameter !== '' ? parameter : undefined);
}

function newRequestId(): string {
  return randomUUID().replaceAll('-', '');
}

function randomCode(digits: number): string {
  return String(randomInt(0, 10 ** digits)).padStart(digits, '0');
}
