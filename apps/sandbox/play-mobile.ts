import { z } from 'zod';
import { type Answer, type Incoming, json, problem, type Reply } from './http.ts';
import type { Message } from './message.ts';
import { smsSegments } from '../../domain/shared/sms-segments.ts';
import { parseJson } from '../../domain/shared/json.ts';
import { PLAY_MOBILE_ERRORS } from './play-mobile-errors.ts';
import { reportStatus } from './play-mobile-reports.ts';
import { reportSteps } from './sms-reports.ts';
import { type Dialect, type FaultOutcome, underFault } from './under-fault.ts';
import type { World } from './world.ts';

export const PLAY_MOBILE_PATH = '/broker-api/';
/** The broker's own limits, of a message-id and of one call. */
const REFERENCE_CHARS_MAX = 20;
const MESSAGES_MAX = 1_000;
/** 200 000 ids, about 30 MB: a minute of full load. */
const REFERENCES_MAX = 200_000;
/** Soʻm a part, about what an aggregator asks. */
const PART_UZS = 95;
const BALANCE_UZS_MAX = 1e12;
const TEMPLATES_MAX = 1_000;

const Sent = z.object({
  recipient: z.string().default(''),
  'message-id': z.string().default(''),
  priority: z.enum(['low', 'normal', 'high', 'realtime']).default('normal'),
  sms: z.object({
    originator: z.string().default(''),
    ttl: z.string().optional(),
    content: z.object({ text: z.string().default('') }),
  }),
});
type Sent = z.infer<typeof Sent>;
const Body = z.object({ messages: z.array(Sent).min(1).max(MESSAGES_MAX) });

/** `PUT /play-mobile`: what the account is like. A field that is left out stays as it is. */
export const PlayMobileOrder = z.strictObject({
  /** Null is without end. */
  balance_uzs: z.number().min(0).max(BALANCE_UZS_MAX).nullable().optional(),
  part_uzs: z.number().min(0).max(BALANCE_UZS_MAX).optional(),
  /** The approved texts, `*` for whatever changes; null approves everything. */
  templates: z.array(z.string().min(1).max(1_000)).max(TEMPLATES_MAX).nullable().optional(),
});

type Code = keyof typeof PLAY_MOBILE_ERRORS;
const isCode = (code: string): code is Code => Object.hasOwn(PLAY_MOBILE_ERRORS, code);

const dialect: Dialect = {
  rejected: (code) => failure(isCode(code) ? code : 'syntax-error'),
  rateLimited: (seconds) =>
    json(
      429,
      { error_code: '429', error_description: 'Too many requests' },
      { 'retry-after': String(seconds) },
    ),
  failed: (status) => ({ ...failure('internal'), status }),
};

/** Play Mobile's broker API: one method, and an address for the reports of all messages. */
export class PlayMobile {
  readonly #world: World;
  /** Every message-id that was taken; the oldest leave first. */
  readonly #taken = new Set<string>();
  #account: { balance_uzs: number | null; part_uzs: number; templates: readonly string[] | null } = {
    balance_uzs: null,
    part_uzs: PART_UZS,
    templates: null,
  };

  constructor(world: World) {
    this.#world = world;
    for (const message of world.inbox.list({ channel: 'sms', provider: 'play-mobile' }))
      this.#remember(message.provider_reference);
  }

  /** `GET` and `PUT /play-mobile`. */
  account(order?: z.infer<typeof PlayMobileOrder>): object {
    const changed = Object.entries(order ?? {}).filter(([, value]) => value !== undefined);
    this.#account = { ...this.#account, ...Object.fromEntries(changed) };
    return this.#account;
  }

  async answer(incoming: Incoming): Promise<Reply> {
    const { trace, method, path } = incoming;
    Object.assign(trace, { channel: 'sms', provider: 'play-mobile', method: 'send' });
    if (method !== 'POST' || path !== `${PLAY_MOBILE_PATH}send`) return problem('Not found', 404);
    if (!this.#isKnown(incoming)) return failure('credentials');
    const body = Body.safeParse(parseJson(incoming.body.toString()));
    if (!body.success) return failure('syntax-error');
    const [first] = body.data.messages as [Sent, ...Sent[]];
    const to = phoneOf(first);
    Object.assign(trace, { to, idempotency_key: first['message-id'] });
    const fault = this.#world.faults.take({
      channel: 'sms',
      provider: 'play-mobile',
      to,
      method: 'send',
      sends: true,
    });
    return underFault(fault, { dialect, timers: this.#world.timers, trace }, (outcome) => {
      const wrong = this.#problemOf(body.data.messages);
      if (wrong) return failure(wrong);
      for (const sent of body.data.messages) trace.message_id = this.#accept(sent, outcome).id;
      return { status: 200, headers: { 'content-type': 'text/plain' }, body: 'Request is received' };
    });
  }

  #isKnown({ headers }: Incoming): boolean {
    const basic = /^Basic ([A-Za-z0-9+/=]+)$/.exec(headers.authorization ?? '')?.[1];
    const [login = '', ...rest] = Buffer.from(basic ?? '', 'base64')
      .toString()
      .split(':');
    const expected = this.#world.credentials.playMobile;
    if (expected) return login === expected.login && rest.join(':') === expected.password;
    return login !== '' && rest.join(':') !== '';
  }

  /** Of the first message that has one; the broker takes all of a call or none. */
  #problemOf(messages: readonly Sent[]): Code | undefined {
    const wrong = messages.map((sent) => problemOf(sent)).find(Boolean);
    if (wrong) return wrong;
    const references = messages.map((sent) => sent['message-id']);
    if (new Set(references).size < references.length || references.some((one) => this.#taken.has(one)))
      return 'duplicate';
    const { balance_uzs: balance, part_uzs, templates } = this.#account;
    if (templates && messages.some(({ sms }) => !isApproved(sms.content.text, templates)))
      return 'text-not-moderated';
    const sum = part_uzs * messages.reduce((parts, { sms }) => parts + smsSegments(sms.content.text), 0);
    if (balance !== null && balance < sum) return 'balance-empty';
    if (balance !== null) this.#account.balance_uzs = balance - sum;
    return undefined;
  }

  #accept(sent: Sent, outcome: FaultOutcome): Message {
    const { originator, ttl, content } = sent.sms;
    const message = this.#world.inbox.add({
      channel: 'sms',
      provider: 'play-mobile',
      to: phoneOf(sent),
      from: originator,
      text: content.text,
      provider_reference: sent['message-id'],
      idempotency_key: sent['message-id'],
      status: 'accepted',
      fate: outcome.fate,
      ...(outcome.errorCode === undefined ? {} : { error_code: outcome.errorCode }),
      details: {
        priority: sent.priority,
        parts: smsSegments(content.text),
        ...(ttl === undefined ? {} : { ttl }),
      },
    });
    this.#remember(message.provider_reference);
    reportSteps(this.#world, message, outcome, (status, proven) =>
      reportStatus(this.#world, { message, status, proven }),
    );
    return message;
  }

  #remember(reference: string): void {
    this.#taken.add(reference);
    if (this.#taken.size <= REFERENCES_MAX) return;
    for (const oldest of this.#taken) {
      this.#taken.delete(oldest);
      return;
    }
  }
}

/** The broker names a number by its digits. */
const phoneOf = ({ recipient }: Sent): string => (/^\d+$/.test(recipient) ? `+${recipient}` : recipient);

function problemOf(sent: Sent): Code | undefined {
  const { originator, ttl, content } = sent.sms;
  const reference = sent['message-id'];
  if (sent.recipient === '') return 'empty-recipient';
  if (!/^998\d{9}$/.test(sent.recipient)) return 'number-invalid';
  if (reference === '') return 'empty-message-id';
  if (reference.length > REFERENCE_CHARS_MAX) return 'syntax-error';
  if (originator === '') return 'empty-originator';
  if (content.text === '') return 'empty-content';
  return ttl === undefined || /^[1-9]\d{0,5}$/.test(ttl) ? undefined : 'invalid-ttl';
}

/** Whether a template is this text, `*` standing for anything. */
const isApproved = (text: string, templates: readonly string[]): boolean =>
  templates.some((template) => isOf(text, template.split('*')));

/** Without a regular expression: the template is whoever's who orders it. */
function isOf(text: string, [first = '', ...rest]: readonly string[]): boolean {
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at + last.length <= text.length;
}

function failure(code: Code): Answer {
  const { status, code: number, description } = PLAY_MOBILE_ERRORS[code];
  return json(status, { error_code: number, error_description: description });
}
