import { addressReasons, type jobReasons } from '../job/reasons.ts';
import { type CodesSeenIn, type CountedFactor, fromText, type Reason, untilText } from '../shared/reason.ts';
import { nextUtcDay } from '../shared/time.ts';
import type { Channel, SILENT_CHANNEL } from './channel.ts';
import {
  PAID_BY_PROJECT_MAX,
  PAID_BY_STRANGERS_MAX,
  PAID_BY_STRANGERS_OF_PROJECT_MAX,
  PAID_PER_HOUR_MAX,
} from './paid-limits.ts';
import { STRANGER_SENDS_OPEN, STRANGER_SENDS_PER_DAY, STRANGER_SENDS_PER_HOUR } from './strangers.ts';
import type { RiskFactor } from './fraud.ts';
import type { ClosedReason } from './verification.ts';

type SendingChannel = Exclude<Channel, typeof SILENT_CHANNEL>;

/** Paid messages to a number are counted over the last hour. */
const PAID_WINDOW_MS = 3_600_000;

const LOCKED = 'This recipient is locked after 100 wrong codes in a row.';

/** Whose counts they are, in words. */
const factorWords: Record<RiskFactor, readonly [counted: string, where: string]> = {
  prefix: ['codes', 'to this range of numbers'],
  ip: ['numbers', 'from this IP address'],
  device: ['numbers', 'from this device'],
};

/** `52 numbers from this IP address, 1 confirmed; 8 numbers from this device, 0 confirmed`. */
const factorsText = (factors: readonly CountedFactor[]): string =>
  factors
    .map(({ factor, sent, verified }) => {
      const [counted, where] = factorWords[factor as RiskFactor];
      return `${Math.round(sent)} ${counted} ${where}, ${Math.round(verified)} confirmed`;
    })
    .join('; ');

/** Why no code is sent. */
const refusals = {
  'too-soon': {
    meaning: 'A code was just sent to this recipient.',
    retry: 'later',
    nextStep:
      'Ask again after Retry-After: 30 s after the first code, 60 s after the second, 120 s after each later one.',
    seen: ['problem'],
  },
  'too-many-sends': {
    meaning: "The project's limit of codes per hour to this recipient is reached.",
    detail: ({ until, limit }) =>
      `The project's limit${limit ? ` of ${limit} codes` : ''} per hour to this recipient is reached. The next code is possible${fromText(until)}.`,
    retry: 'later',
    nextStep: 'Ask again after Retry-After, or raise sends_per_hour.',
    setting: 'sends_per_hour',
    seen: ['problem'],
  },
  'publishable-limit': {
    meaning: `The limit of codes to this recipient by publishable keys is reached. It is ${STRANGER_SENDS_PER_HOUR} an hour, or ${STRANGER_SENDS_OPEN} for a network address with too many unconfirmed codes. It is ${STRANGER_SENDS_PER_DAY} a day.`,
    retry: 'later',
    nextStep:
      'Ask again after Retry-After. A service asks with its secret key, whose limit is sends_per_hour.',
    seen: ['problem'],
  },
  'codes-unconfirmed': {
    meaning: 'Too many codes requested from this network address with a publishable key were not confirmed.',
    detail: ({ until }) =>
      `Too many codes requested from this network address within an hour were not confirmed.${until ? ` The next code is possible${fromText(until)}.` : ''}`,
    retry: 'later',
    nextStep:
      'Enter a code that was already sent, or ask again after Retry-After. A service asks with its secret key, which has no such limit.',
    seen: ['problem'],
  },
  'destination-locked': {
    meaning: LOCKED,
    detail: ({ until }) => `${LOCKED}${until ? ` A code is possible again${fromText(until)}.` : ''}`,
    retry: 'later',
    nextStep:
      "The person approves a push on a bound device. Or, if the service already knows the person, they unlock it in Navbat's app or by sending /unlock to the bot. Otherwise the lock ends automatically within 24 hours.",
    seen: ['problem'],
  },
  'country-not-allowed': {
    meaning: 'The project does not send paid messages to this country.',
    detail: ({ country }) =>
      `The project does not send paid messages to ${country ? `numbers of ${country}` : 'this country'}.`,
    retry: 'after-change',
    nextStep: 'Add the country to sms_countries (PATCH /projects/{id}), or use a channel that costs nothing.',
    setting: 'sms_countries',
    seen: ['problem'],
  },
  'budget-spent': {
    meaning: "The project's budget for paid messages is spent for today (UTC).",
    detail: ({ until, limit }) =>
      `The project's daily budget for paid messages${limit ? ` (${limit})` : ''} is spent${until ? `; it is renewed${fromText(until)}` : ' for today (UTC)'}.`,
    retry: 'later',
    nextStep:
      'Raise sms_daily_budget_micros (or publishable_budget_percent, if publishable keys used up their share), wait for the next day (00:00 UTC), or use a channel that costs nothing.',
    setting: 'sms_daily_budget_micros',
    seen: ['problem', 'job'],
    holdsUntil: nextUtcDay,
  },
  'prefix-blocked': {
    meaning: 'Paid messages to this range of numbers are blocked (anti-fraud): too few codes were confirmed.',
    detail: ({ prefix, until }) =>
      `Paid messages to ${prefix ? `prefix ${prefix}` : 'this range of numbers'} are blocked${until ? untilText(until) : ' for a few hours'} (anti-fraud): too few codes were confirmed.`,
    retry: 'later',
    nextStep:
      'Use another channel, such as push or telegram. Look for automated requests to your sign-up form; set client.trusted for users that you know. The blocking ends automatically.',
    seen: ['problem', 'job'],
  },
  'risk-blocked': {
    meaning:
      'Paid messages for clients like this one are blocked (anti-fraud): too few codes were confirmed by their range of numbers, IP address and device together.',
    detail: ({ until, factors = [] }) =>
      `Paid messages for clients like this one are blocked${until ? untilText(until) : ' for a few hours'} (anti-fraud): ${factors.length > 0 ? `in recent hours ${factorsText(factors)}` : 'too few codes were confirmed'}.`,
    retry: 'later',
    nextStep:
      'Use another channel, such as push or telegram. Look for automated requests to your sign-up form. Check that client.ip and client.device_id are those of the end user and not of your server; set client.trusted for users that you know. The blocking ends automatically.',
    seen: ['problem', 'job'],
  },
  'number-capped': {
    meaning: `A limit of paid messages per hour to this number is reached. All projects together send at most ${PAID_PER_HOUR_MAX}, their publishable keys at most ${PAID_BY_STRANGERS_MAX} of these. The secret keys of one project send at most ${PAID_BY_PROJECT_MAX}. Its publishable keys send at most ${PAID_BY_STRANGERS_OF_PROJECT_MAX}.`,
    detail: ({ until }) =>
      `The limit of paid messages per hour to this number is reached.${until ? ` The next one is possible${fromText(until)}.` : ''}`,
    retry: 'later',
    nextStep: 'Ask again after Retry-After, an hour at the most, or use a channel that costs nothing.',
    seen: ['problem', 'job'],
    holdsUntil: (refusedAt) => new Date(refusedAt.getTime() + PAID_WINDOW_MS),
  },
  'code-too-short': {
    meaning:
      'Codes of fewer than six digits are not enabled for this project, or are never allowed for this purpose.',
    retry: 'after-change',
    nextStep: 'Ask for six digits, or set allow_short_codes. The purposes login and money always need six.',
    setting: 'allow_short_codes',
    seen: ['problem'],
  },
  'totp-for-money': {
    meaning: 'A code of a device shows neither amount nor payee, so it cannot approve a payment.',
    retry: 'after-change',
    nextStep: 'Ask for push, telegram or sms.',
    seen: ['problem'],
  },
  'other-payment': {
    meaning: 'A code for another payment of this recipient and purpose is still valid.',
    retry: 'later',
    nextStep: 'Cancel it (POST /otp/{id}/cancel), name another purpose, or wait until it has expired.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;
export type RefusalReason = keyof typeof refusals | keyof typeof addressReasons;
export const isRefusal = (reason: string): reason is RefusalReason =>
  Object.hasOwn(refusals, reason) || Object.hasOwn(addressReasons, reason);

/** Refusals that are limits: time or a person lifts them, so that an idempotency key may be tried again. */
export const limitReasons: ReadonlySet<RefusalReason> = new Set([
  'too-soon',
  'too-many-sends',
  'publishable-limit',
  'codes-unconfirmed',
  'destination-locked',
  'number-capped',
  'other-payment',
]);

/** What a provider of SMS, or Telegram's Gateway, refuses for good. */
const byProvider = {
  'number-invalid': {
    meaning: 'The provider says that this is not a phone number.',
    retry: 'after-change',
    nextStep: 'Ask the person for their number again.',
    seen: ['job', 'attempt'],
  },
  'number-unreachable': {
    meaning:
      'The phone could not be reached: it is off, has no network, or its operator refuses the message.',
    retry: 'later',
    nextStep: 'The person checks their phone and asks for a new code, or uses another channel.',
    seen: ['job', 'attempt'],
  },
  'number-unknown': {
    meaning: 'The operator knows no such number.',
    retry: 'after-change',
    nextStep: 'Ask the person for their number again.',
    seen: ['job', 'attempt'],
  },
  'region-not-enabled': {
    meaning: "The provider's account may not send to this country.",
    retry: 'after-change',
    nextStep: "Staff enable the country in the provider's console (Twilio: Messaging, Geo permissions).",
    seen: ['job', 'attempt'],
  },
  unsubscribed: {
    meaning: 'The person answered STOP to messages of this sender.',
    retry: 'after-change',
    nextStep: 'The person sends START to the sender, or uses another channel.',
    seen: ['job', 'attempt'],
  },
  'not-a-mobile': {
    meaning: 'The number cannot receive SMS.',
    retry: 'after-change',
    nextStep: 'Ask for a mobile number, or use another channel.',
    seen: ['job', 'attempt'],
  },
  landline: {
    meaning: 'The number is a landline or its operator does not take SMS.',
    retry: 'after-change',
    nextStep: 'Ask for a mobile number, or use another channel.',
    seen: ['job', 'attempt'],
  },
  filtered: {
    meaning: "An operator's spam filter stopped the message.",
    retry: 'after-change',
    nextStep: "Check the template's words and links, and whether the sender is registered with the operator.",
    setting: 'templates',
    seen: ['job', 'attempt'],
  },
  'text-not-moderated': {
    meaning:
      "The provider of SMS sends approved texts only, and this wording is not among the installation's approved ones.",
    retry: 'after-change',
    nextStep:
      "Use a text that is approved, or staff submit this one in the provider's account (Eskiz: SMS, My texts). POST /projects/{id}/templates/preview shows the state of each text.",
    setting: 'templates',
    seen: ['job', 'attempt'],
  },
  'not-on-telegram': {
    meaning: 'Telegram Gateway cannot reach this number: it has no Telegram account, or refuses codes.',
    retry: 'no',
    nextStep: 'Name sms after telegram-gateway in the channels, so that the code goes on by SMS.',
    setting: 'channels',
    seen: ['job', 'attempt'],
  },
} as const satisfies Record<string, Reason>;

/** Why a code takes no more checks. */
const closed = {
  used: {
    meaning: 'This code, or this sign-in by Telegram, was already used; each works once.',
    retry: 'no',
    nextStep: 'Ask for a new code, or sign in with Telegram again.',
    seen: ['problem-reason'],
  },
  denied: {
    meaning: 'The person answered no on their device.',
    retry: 'no',
    nextStep: 'Do not ask again unless the person wants it.',
    seen: ['problem-reason', 'job'],
  },
  cancelled: {
    meaning: 'The verification was cancelled.',
    retry: 'no',
    nextStep: 'Ask for a new code.',
    seen: ['problem-reason'],
  },
  expired: {
    meaning: 'The code has expired.',
    retry: 'no',
    nextStep: 'Ask for a new code.',
    seen: ['problem-reason'],
  },
  'max-checks-reached': {
    meaning: 'No checks are left for this code.',
    retry: 'no',
    nextStep: 'Ask for a new code.',
    seen: ['problem-reason', 'job'],
  },
} as const satisfies Record<ClosedReason, Reason>;

const confirmed = (how: string) =>
  ({
    meaning: `The code arrived: ${how}.`,
    retry: 'no',
    nextStep: 'Nothing.',
    seen: ['job'],
  }) as const;

const confirmations = {
  'confirmed-by-push': confirmed("it was fetched by Navbat's app"),
  'confirmed-by-telegram': confirmed('Telegram accepted the message'),
  'confirmed-by-telegram-gateway': confirmed('Telegram Gateway reported delivery'),
  'confirmed-by-sms': confirmed('the operator reported delivery'),
} as const satisfies Record<`confirmed-by-${SendingChannel}`, Reason>;

const unconfirmed = (how: string) =>
  ({
    meaning: `${how}, but delivery was not confirmed in time. The next channel was used.`,
    retry: 'no',
    nextStep: 'Nothing, if the code was entered. Otherwise the person asks for a new one.',
    seen: ['job'],
  }) as const;

const silences = {
  'push-unconfirmed': unconfirmed('The push was sent'),
  'telegram-unconfirmed': unconfirmed('The Telegram message was sent'),
  'telegram-gateway-unconfirmed': unconfirmed('Telegram Gateway accepted the message'),
  'sms-unconfirmed': unconfirmed('The SMS was sent'),
} as const satisfies Record<`${SendingChannel}-unconfirmed`, Reason>;

/** Ends of a send's job. */
const ends = {
  approved: {
    meaning: 'The code was entered or approved, so the job had nothing more to send.',
    retry: 'no',
    nextStep: 'Nothing.',
    seen: ['job'],
  },
  'verification-cancelled': {
    meaning: 'The verification was cancelled, so nothing more is sent.',
    retry: 'no',
    nextStep: 'Ask for a new code if you still need it.',
    seen: ['job'],
  },
  superseded: {
    meaning: 'A newer send to the same recipient for the same purpose replaced it.',
    retry: 'no',
    nextStep: 'Look at the newer job.',
    seen: ['job'],
  },
  'test-mode': {
    meaning: 'It was made with a test key, which sends nothing.',
    retry: 'no',
    nextStep: 'Read the code in GET /otp/{id}. Use a live key to send.',
    seen: ['job'],
  },
  'nothing-to-send': {
    meaning: 'Only totp was requested: the person reads the code on their own device.',
    retry: 'no',
    nextStep: 'Check the code that the person types.',
    seen: ['job'],
  },
  'push-silence-buys-nothing': {
    meaning:
      'The push was not confirmed, and the project does not allow a paid message for this reason alone.',
    retry: 'after-change',
    nextStep: 'Set push_unconfirmed_buys_sms, or let the person ask for an SMS.',
    setting: 'push_unconfirmed_buys_sms',
    seen: ['job'],
  },
  'delivery-failed': {
    meaning: 'The provider accepted the message and later reported that it could not be delivered.',
    retry: 'later',
    nextStep: "Look at delivery_reason of the attempt: it is the provider's error code. Use another channel.",
    seen: ['job'],
  },
  'delivery-expired': {
    meaning: 'The provider could not deliver the message before the code expired.',
    retry: 'later',
    nextStep: 'The person checks their phone and asks for a new code, or uses another channel.',
    seen: ['job'],
  },
  'no-provider': {
    meaning: 'This worker has no provider for the channel.',
    retry: 'after-change',
    nextStep:
      "Staff set the provider's variables in the environment of the workers too, not only of the API.",
    seen: ['job'],
  },
  'no-address': {
    meaning: 'The recipient no longer has an address for the channel.',
    retry: 'after-change',
    nextStep: 'Store the address again (PUT /recipients), or use another channel.',
    seen: ['job'],
  },
} as const satisfies Record<string, Reason>;

/** Problems of checks. */
const problems = {
  'too-many-failures': {
    meaning: 'Too many wrong codes came from this client or with this key.',
    retry: 'later',
    nextStep: 'Try again after Retry-After.',
    seen: ['problem'],
  },
  'verification-closed': {
    meaning: 'The verification takes no more checks; `reason` says why.',
    retry: 'no',
    nextStep: 'Ask for a new code.',
    seen: ['problem'],
  },
  'too-many-streams': {
    meaning: 'This caller has reached the limit of event streams that are open at the same time.',
    retry: 'later',
    nextStep: 'Close streams that are not needed, or ask GET /otp/{id} instead.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;

export const otpReasons = {
  ...refusals,
  ...byProvider,
  ...closed,
  ...confirmations,
  ...silences,
  ...ends,
  ...problems,
} as const;

/** Why the job of a code, or one attempt of it, ended as it did. */
export type CodeEndReason = CodesSeenIn<typeof jobReasons & typeof otpReasons, 'job' | 'attempt'>;
