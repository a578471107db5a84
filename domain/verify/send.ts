import { type Decision, refused } from '../job/decision.ts';
import type { ProjectSettings } from '../project/settings.ts';
import type { Payment } from '../shared/payment.ts';
import { type Channel, SILENT_CHANNEL } from './channel.ts';
import type { RefusalReason } from './reasons.ts';
import { chainMicros } from './paid-limits.ts';
import { liveAt, resendOf, resendWaitMs } from './resend.ts';
import { isForMoney, type SendCommand, TTL_SECONDS_MAX } from './send-command.ts';
import type { SendFacts, SendPlan } from './send-facts.ts';
import { strangerRefusal } from './strangers.ts';
import { usableChannels } from './usable-channels.ts';

export const HOUR_SECONDS = 3_600;

/** NIST SP 800-63B-4 §3.1.3.2: fewer than six digits only with harder limits. */
const CODE_DIGITS_UNRESTRICTED = 6;
const SHORT_CODE_TTL_SECONDS_MAX = 120;
const SHORT_CODE_CHECKS = 3;
const CHECKS_MAX = 5;
/** A purpose that a short code may never serve, beside those that move money. */
const LOGIN_PURPOSE = /login/i;

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
    const waitMs = resendWaitMs(command, live, now);
    if (waitMs > 0) return refused('too-soon', Math.ceil(waitMs / 1_000));
  }
  if (facts.stranger) return strangerRefusal(facts.stranger);
  if (command.mode === 'live' && recent.length >= facts.settings.sends_per_hour) {
    const oldest = Math.min(...recent.map((at) => at.getTime()));
    return refused('too-many-sends', Math.ceil((oldest - hourAgo) / 1_000));
  }
  return null;
}

/** A code that stands on a device shows no amount; and a code that lives for one payment must not serve another. */
function moneyRefusal(command: SendCommand, facts: SendFacts, now: Date) {
  if (isForMoney(command) && command.channels.includes(SILENT_CHANNEL) && !command.channelsByDefault)
    return refused('totp-for-money');
  const repeated = resendOf(command, facts, now);
  return repeated && !isSamePayment(repeated.payment, command.payment ?? null)
    ? refused('other-payment')
    : null;
}

const isSamePayment = (a: Payment | null, b: Payment | null) =>
  a?.amount === b?.amount && a?.currency === b?.currency && a?.payee === b?.payee;

function plan(command: SendCommand, facts: SendFacts, channels: readonly Channel[], now: Date): SendPlan {
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
    reservedMicros: command.mode === 'live' ? chainMicros(channels, facts.reach.smsMicros) : 0,
  };
  const repeated = resendOf(command, facts, now);
  if (!repeated) return { ...fresh, replaces: liveAt(facts, now), expiresAt: secondsAfter(now, ttlSeconds) };

  const rotates = command.onResend === 'rotate';
  return {
    ...fresh,
    resendOf: repeated,
    codeGeneration: repeated.codeGeneration + (rotates ? 1 : 0),
    checksMax: repeated.checksMax,
    // A new code has a life of its own, yet no verification outlives the longest code; the same code dies when it was said to.
    expiresAt: rotates
      ? earlier(
          secondsAfter(now, lifeSeconds(repeated.codeLength, repeated.ttlSeconds)),
          secondsAfter(repeated.createdAt, TTL_SECONDS_MAX),
        )
      : repeated.expiresAt,
  };
}

/** A short code lives for two minutes at most, whatever was asked for. */
const lifeSeconds = (digits: number, askedSeconds: number) =>
  digits < CODE_DIGITS_UNRESTRICTED ? Math.min(askedSeconds, SHORT_CODE_TTL_SECONDS_MAX) : askedSeconds;

const secondsAfter = (at: Date, seconds: number) => new Date(at.getTime() + seconds * 1_000);
const earlier = (a: Date, b: Date) => (a < b ? a : b);
