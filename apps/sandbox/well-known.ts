import type { Fault } from './fault.ts';
import type { Channel, SmsProvider } from './message.ts';

/**
 * Numbers, chats and tokens that fail by themselves, for people with curl. The last three digits of +998 99 999 9NNN and of
 * the chat ids say what happens, in the manner of HTTP; the +1500555… numbers are Twilio's own magic ones.
 */
const PHONES = '+998999999';
const always = { to: '*', delay_ms: 0 } as const;
const HANG_MS = 120_000;
const CALLER_PATIENCE_SECONDS = 2;

const effects = {
  '408': { ...always, effect: 'hang-before', hang_ms: HANG_MS },
  '409': { ...always, effect: 'hang-after', hang_ms: HANG_MS },
  '429': { ...always, effect: 'rate-limit', retry_after_seconds: CALLER_PATIENCE_SECONDS },
  '500': { ...always, effect: 'server-error', status: 500 },
  '503': { ...always, effect: 'server-error', status: 503 },
  '202': { ...always, effect: 'never-delivered' },
  '303': { ...always, effect: 'undelivered', code: 30003 },
} satisfies Record<string, Fault>;

const reject = (code: string | number): Fault => ({ ...always, effect: 'reject', code });

/** What is final differs by provider: 404 is nobody there, 403 is somebody who does not want it. */
const finals: Record<Channel, Record<string, Fault>> = {
  sms: { '404': reject(21211), '403': reject(21610) },
  'telegram-gateway': {
    '404': reject('PHONE_NUMBER_NOT_FOUND'),
    '403': reject('PHONE_NUMBER_NOT_AVAILABLE'),
  },
  telegram: { '404': reject('chat-not-found'), '403': reject('blocked') },
  push: {
    '404': reject('UNREGISTERED'),
    '403': reject('SENDER_ID_MISMATCH'),
    '400': reject('INVALID_ARGUMENT'),
  },
};

/** As Twilio's above, in the codes of the others: of this number alone, since what they say of a text counts for all others. */
const smsFinals: Partial<Record<SmsProvider, Record<string, Fault>>> = {
  eskiz: { '404': reject('number-invalid'), '403': reject('refused') },
  'play-mobile': { '404': reject('number-invalid'), '403': reject('refused') },
};

const twilioMagic: Record<string, Fault> = {
  '+15005550001': reject(21211),
  '+15005550002': reject(21612),
  '+15005550003': reject(21408),
  '+15005550004': reject(21610),
  '+15005550009': reject(21614),
};

/** Chats 999999NNN and tokens `sandbox-NNN`. */
const PREFIX: Record<Channel, string> = {
  sms: PHONES,
  'telegram-gateway': PHONES,
  telegram: '999999',
  push: 'sandbox-',
};

export function wellKnownFault(
  channel: Channel,
  to: string,
  provider: SmsProvider = 'twilio',
): Fault | undefined {
  if (channel === 'sms' && provider === 'twilio' && Object.hasOwn(twilioMagic, to)) return twilioMagic[to];
  const prefix = PREFIX[channel];
  if (!to.startsWith(prefix) || to.length !== prefix.length + 3) return undefined;
  const suffix = to.slice(prefix.length);
  const shared: Record<string, Fault> = effects;
  const own = channel === 'sms' ? smsFinals[provider] : undefined;
  return (own ?? finals[channel])[suffix] ?? shared[suffix];
}
