import { z } from 'zod';
import { type Decision, refused } from '../job/decision.ts';
import type { RefusalReason } from './reasons.ts';
import type { KeyMode } from '../project/key.ts';
import type { ProjectSettings } from '../project/settings.ts';
import type { PaidAsker } from './asker.ts';
import { Channel, channelRules, channels, SILENT_CHANNEL } from './channel.ts';
import { CODE_DIGITS_MAX, CODE_DIGITS_MIN } from './code.ts';
import { type PrefixScore, isPrefixBlocked } from './fraud.ts';
import {
  chainMicros,
  type DaySpend,
  dayBudgetOf,
  isBudgetSpent,
  isNumberCapped,
  type PaidCount,
} from './paid-limits.ts';
import { movesMoney, Payment } from '../shared/payment.ts';
import type { PhoneFacts } from '../shared/phone.ts';
import { inGoodStanding, type StrangerFacts, strangerRefusal } from './strangers.ts';
import { Locale } from '../shared/locale.ts';
import type { Verification } from './verification.ts';
import { onceValid } from '../shared/refine.ts';

/** X4 and ASVS 6.5.5: a delivered code lives 10 minutes at most. */
const TTL_SECONDS_MIN = 30;
const TTL_SECONDS_MAX = 600;
export const TTL_SECONDS_DEFAULT = 300;
export const CODE_DIGITS_DEFAULT = 6;
/** NIST SP 800-63B-4 §3.1.3.2: fewer than six digits only with harder limits. */
const CODE_DIGITS_UNRESTRICTED = 6;
const SHORT_CODE_TTL_SECONDS_MAX = 120;
const SHORT_CODE_CHECKS = 3;
const CHECKS_MAX = 5;
/** A purpose that a short code may never serve, beside those that move money. */
const LOGIN_PURPOSE = /login/i;
/** X15: a person who sees nothing asks again after 30 s; who still sees nothing has another problem. */
const RESEND_GAPS_SECONDS: readonly number[] = [30, 60, 120];
export const HOUR_SECONDS = 3_600;
/** RFC-less bound: room for an order number or a session id, not for a document. */
const METADATA_PAIRS_MAX = 20;
const METADATA_VALUE_CHARS_MAX = 500;

export const PURPOSE_DEFAULT = 'verify';
export const Purpose = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'expected 1 to 64 of a-z 0-9 . _ -, such as login');

/** The end user behind a request, as the calling service saw them. */
export const Client = z.strictObject({
  ip: z.union([z.ipv4(), z.ipv6()], { error: 'expected an IPv4 or IPv6 address' }).optional(),
  user_agent: z.string().max(500).optional(),
  device_id: z.string().max(128).optional(),
});

/** Body of `POST /otp/send`. */
export const SendRequest = z
  .strictObject({
    to: z.string().min(1).max(64).meta({
      description: 'Phone in international form, or the id of a recipient.',
      example: '+998901234567',
    }),
    channels: z.array(Channel).min(1).max(channels.length).optional().meta({
      description:
        "Tried in this order; the project's own order where absent. `push` goes to the token that you gave, else to Navbat's own app, where the person types the `number` of the answer. `totp` sends nothing: the code of a bound device or an authenticator app is taken.",
    }),
    purpose: Purpose.optional().meta({
      description: 'At most one code lives for each recipient and purpose.',
      example: 'login',
    }),
    payment: Payment.optional().meta({
      description:
        'Asked for where the purpose moves money (`pay`, `payout`, `withdraw`, `transfer`, `money`). The person reads it with the code, and on the device with which they approve.',
    }),
    length: z.int().min(CODE_DIGITS_MIN).max(CODE_DIGITS_MAX).optional(),
    ttl_seconds: z.int().min(TTL_SECONDS_MIN).max(TTL_SECONDS_MAX).optional(),
    locale: Locale.optional(),
    on_resend: z
      .enum(['reuse', 'rotate'])
      .optional()
      .meta({ description: 'What a resend carries: the same code (default) or a new one.' }),
    allow_verify_by_to: z
      .boolean()
      .optional()
      .meta({ description: 'Lets `POST /otp/verify` name the phone in place of the id.' }),
    client: Client.optional().meta({ description: 'The end user, as your service saw them.' }),
    metadata: z
      .record(z.string().max(64), z.string().max(METADATA_VALUE_CHARS_MAX))
      .refine((pairs) => Object.keys(pairs).length <= METADATA_PAIRS_MAX, {
        ...onceValid,
        error: `expected at most ${METADATA_PAIRS_MAX} pairs`,
      })
      .optional(),
    callback_url: z.string().optional().meta({
      description:
        "Told what becomes of this verification, signed with the project's own secret (`GET /webhooks/secret`). A resend that names another is told there from then on.",
      example: 'https://example.com/navbat',
    }),
  })
  .refine(({ purpose, payment }) => payment !== undefined || !movesMoney(purpose ?? PURPOSE_DEFAULT), {
    ...onceValid,
    error: 'expected what is paid and to whom, as this purpose moves money',
    path: ['payment'],
  });
export type SendRequest = z.infer<typeof SendRequest>;

/** A send after validation, with every default filled in. */
export interface SendCommand {
  readonly phone: PhoneFacts | null;
  readonly mode: KeyMode;
  readonly channels: readonly Channel[];
  /** They are the project's own order, and nobody named them. */
  readonly channelsByDefault?: true;
  readonly purpose: string;
  /** Absent where no money moves. */
  readonly payment?: Payment;
  readonly length: number;
  readonly ttlSeconds: number;
  readonly locale: Locale | null;
  readonly onResend: 'reuse' | 'rotate';
  readonly checkByTo: boolean;
  readonly client: SendRequest['client'] | null;
  readonly metadata: Record<string, string> | null;
  /** Null on a resend: it stays what it was. */
  readonly callbackUrl: string | null;
  /** Pauses before a second, third … send in place of `RESEND_GAPS_SECONDS`; none where empty. The hourly limit stays. */
  readonly gapsSeconds?: readonly number[];
}

/** A send for a purpose of Navbat's own, as far as it differs from a plain one: six digits, five minutes, checked by its id. */
export const ownSend = (
  send: Pick<SendCommand, 'phone' | 'mode' | 'channels' | 'purpose'> & Partial<SendCommand>,
): SendCommand => ({
  length: CODE_DIGITS_DEFAULT,
  ttlSeconds: TTL_SECONDS_DEFAULT,
  locale: null,
  onResend: 'reuse',
  checkByTo: false,
  client: null,
  metadata: null,
  callbackUrl: null,
  ...send,
});

/** Read under the destination's lock, so that two requests can't both be the fifth. */
export interface SendFacts {
  readonly settings: ProjectSettings;
  /** Sends to this destination for this project in the last hour. */
  readonly sentAt: readonly Date[];
  readonly locked: boolean;
  /** What strangers asked for before, where a stranger asks; their own limits then hold in place of the hourly one. */
  readonly stranger: StrangerFacts | null;
  /** Of a service, the one that lives for the recipient and purpose; of a stranger, the one that they show to be theirs. */
  readonly live: Verification | null;
  /** It was asked for by its own id, and not for the same recipient and purpose only. */
  readonly again: boolean;
  readonly reach: Reach;
  /** Spent today, and reserved by what was accepted. */
  readonly spend: DaySpend;
  readonly askedBy: PaidAsker;
  readonly projectId: string;
  /** Paid messages to the number, sent or on their way, of all projects. */
  readonly paid: readonly PaidCount[];
  readonly prefixScore: PrefixScore | null;
}

/** Which addresses are known, and which channels have a provider at all. */
export interface Reach {
  /** Its project's own token is known, or the person has Navbat's app and approved for the project before. */
  readonly push: boolean;
  /** Of those, who has Navbat's app alone. */
  readonly ownApp: boolean;
  readonly telegram: boolean;
  readonly providers: ReadonlySet<Channel>;
  readonly locale: Locale | null;
}

export interface SendPlan {
  /** Null for a first send. */
  readonly resendOf: Verification | null;
  /** Ends as this one begins, which takes over how often was sent and checked. */
  readonly replaces: Verification | null;
  readonly channels: readonly Channel[];
  readonly locale: Locale;
  readonly codeGeneration: number;
  readonly checksMax: number;
  readonly expiresAt: Date;
}

/** May this recipient be sent a code now, by which channels, and is it a resend? */
export function decideSend(
  command: SendCommand,
  facts: SendFacts,
  now: Date,
): Decision<{ plan: SendPlan }, RefusalReason> {
  const usable = usableChannels(command, facts, now);
  if (facts.locked && !usable.channels.includes('push')) return refused('destination-locked');
  const unfit = shortCodeRefusal(command, facts.settings) ?? moneyRefusal(command, facts, now);
  if (unfit) return unfit;
  const tooOften = pacingRefusal(command, facts, now);
  if (tooOften) return tooOften;

  if (usable.channels.length === 0) return refused(usable.reason, secondsOf(usable.reason));
  return { kind: 'accepted', plan: plan(command, facts, usable.channels, now) };
}

/** At the latest: the oldest message of a full hour may leave it sooner. */
const secondsOf = (reason: RefusalReason) => (reason === 'number-capped' ? HOUR_SECONDS : null);

function shortCodeRefusal(command: SendCommand, settings: ProjectSettings) {
  if (command.length >= CODE_DIGITS_UNRESTRICTED) return null;
  return settings.allow_short_codes && !LOGIN_PURPOSE.test(command.purpose) && !isForMoney(command)
    ? null
    : refused('code-too-short');
}

function pacingRefusal(command: SendCommand, facts: SendFacts, now: Date) {
  const hourAgo = now.getTime() - HOUR_SECONDS * 1_000;
  const recent = facts.sentAt.filter((at) => at.getTime() > hourAgo);
  const live = liveAt(facts, now);
  if (live) {
    const gapsSeconds = command.gapsSeconds ?? RESEND_GAPS_SECONDS;
    const gapSeconds = gapsSeconds[Math.min(live.sends, gapsSeconds.length) - 1] ?? 0;
    const waitMs = live.sentAt.getTime() + gapSeconds * 1_000 - now.getTime();
    if (waitMs > 0) return refused('too-soon', Math.ceil(waitMs / 1_000));
  }
  if (facts.stranger) return strangerRefusal(facts.stranger);
  if (command.mode === 'live' && recent.length >= facts.settings.sends_per_hour) {
    const oldest = Math.min(...recent.map((at) => at.getTime()));
    return refused('too-many-sends', Math.ceil((oldest - hourAgo) / 1_000));
  }
  return null;
}

function liveAt(facts: SendFacts, now: Date): Verification | null {
  return facts.live && facts.live.expiresAt > now ? facts.live : null;
}

const isForMoney = ({ purpose, payment }: SendCommand) => movesMoney(purpose, payment);

/** A code that stands on a device shows no amount; and a code that lives for one payment must not serve another. */
function moneyRefusal(command: SendCommand, facts: SendFacts, now: Date) {
  if (isForMoney(command) && command.channels.includes(SILENT_CHANNEL) && !command.channelsByDefault)
    return refused('totp-for-money');
  const live = liveAt(facts, now);
  return live && !standsAlone(command, facts) && !isSamePayment(live.payment, command.payment ?? null)
    ? refused('other-payment')
    : null;
}

const isSamePayment = (a: Payment | null, b: Payment | null) =>
  a?.amount === b?.amount && a?.currency === b?.currency && a?.payee === b?.payee;

/** What a locked destination still takes: nothing that is typed there counts, but its owner may approve on their device. */
const openWhileLocked: ReadonlySet<Channel> = new Set(['push', SILENT_CHANNEL]);

/** The asked channels that can reach this recipient; where none can, the reason that weighs most. */
function usableChannels(command: SendCommand, facts: SendFacts, now: Date) {
  const asked = facts.locked
    ? command.channels.filter((channel) => openWhileLocked.has(channel))
    : command.channels;
  if (command.mode === 'test') return { channels: asked, reason: 'no-channel' as const };
  const channels: Channel[] = [];
  const obstacles = asked.map((channel) => {
    const found = obstacle(channel, command, facts, chainMicros(channels), now);
    if (found === null) channels.push(channel);
    return found;
  });
  const reason = obstacles.find((found) => found !== null && found !== 'no-channel');
  return { channels, reason: reason ?? ('no-channel' as const) };
}

/** `earlierMicros` is what the channels before it in the chain may take. */
function obstacle(
  channel: Channel,
  command: SendCommand,
  facts: SendFacts,
  earlierMicros: number,
  now: Date,
) {
  if (channel === SILENT_CHANNEL) return isForMoney(command) ? ('totp-for-money' as const) : null;
  if (!facts.reach.providers.has(channel)) return 'no-channel' as const;
  // Where it was named it is taken as reachable, or the answer would tell who has Navbat's app.
  if (channel === 'push')
    return facts.reach.push || !command.channelsByDefault ? null : ('no-channel' as const);
  if (channel === 'telegram') return facts.reach.telegram ? null : ('no-channel' as const);
  if (!command.phone) return 'no-channel' as const;
  // The Gateway words its message itself, and would show neither amount nor payee.
  if (channel === 'telegram-gateway' && isForMoney(command)) return 'no-channel' as const;
  return channelRules[channel].paid ? paidObstacle(channel, command.phone, facts, earlierMicros, now) : null;
}

function paidObstacle(
  channel: Channel,
  phone: PhoneFacts,
  facts: SendFacts,
  earlierMicros: number,
  now: Date,
) {
  if (phone.country === null || !facts.settings.sms_countries.includes(phone.country))
    return 'country-not-allowed' as const;
  const micros = earlierMicros + channelRules[channel].reservedMicros;
  if (isBudgetSpent(facts.spend, dayBudgetOf(facts.settings), facts.askedBy, micros))
    return 'budget-spent' as const;
  if (isNumberCapped(facts.paid, facts, inGoodStanding(facts.stranger?.address ?? null)))
    return 'number-capped' as const;
  if (channel === 'sms' && phone.isPremiumRate) return 'no-channel' as const;
  return facts.prefixScore && isPrefixBlocked(facts.prefixScore, now) ? ('prefix-blocked' as const) : null;
}

function plan(command: SendCommand, facts: SendFacts, channels: readonly Channel[], now: Date): SendPlan {
  const live = liveAt(facts, now);
  const short = command.length < CODE_DIGITS_UNRESTRICTED;
  const ttlSeconds = lifeSeconds(command.length, command.ttlSeconds);
  const locale = command.locale ?? facts.reach.locale ?? facts.settings.locale;
  const fresh = {
    resendOf: null,
    replaces: null,
    channels,
    locale,
    codeGeneration: 0,
    checksMax: short ? SHORT_CODE_CHECKS : CHECKS_MAX,
  };
  if (!live || standsAlone(command, facts))
    return { ...fresh, replaces: live, expiresAt: secondsAfter(now, ttlSeconds) };

  const rotates = command.onResend === 'rotate';
  return {
    ...fresh,
    resendOf: live,
    codeGeneration: live.codeGeneration + (rotates ? 1 : 0),
    checksMax: live.checksMax,
    // A new code has a life of its own, yet no verification outlives the longest code; the same code dies when it was said to.
    expiresAt: rotates
      ? earlier(
          secondsAfter(now, lifeSeconds(live.codeLength, live.ttlSeconds)),
          secondsAfter(live.createdAt, TTL_SECONDS_MAX),
        )
      : live.expiresAt,
  };
}

/**
 * A code opens only for whoever types it; an approval, for all who hold its verification. Whoever asks for the same person must
 * therefore get a verification of their own, or they would be let in with them. Where push was named that is so for everybody, or
 * it would tell who has the app.
 */
const standsAlone = (
  { mode, channels, channelsByDefault }: SendCommand,
  { again, reach }: SendFacts,
): boolean => mode === 'live' && !again && channels.includes('push') && (!channelsByDefault || reach.ownApp);

/** A short code lives for two minutes at most, whatever was asked for. */
const lifeSeconds = (digits: number, askedSeconds: number) =>
  digits < CODE_DIGITS_UNRESTRICTED ? Math.min(askedSeconds, SHORT_CODE_TTL_SECONDS_MAX) : askedSeconds;

const secondsAfter = (at: Date, seconds: number) => new Date(at.getTime() + seconds * 1_000);
const earlier = (a: Date, b: Date) => (a < b ? a : b);
