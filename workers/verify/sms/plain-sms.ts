import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import { LOCALE_DEFAULT } from '../../../domain/shared/locale.ts';
import { smsSegments } from '../../../domain/shared/sms-segments.ts';
import type { Provider } from '../../../domain/job/guard.ts';
import type { SendReply } from '../../../domain/job/reply.ts';
import type { CodeChannel } from '../../../domain/verify/port.ts';
import type { CodeEndReason } from '../../../domain/verify/reasons.ts';
import { routeOf, type SmsRouting, usdMicros } from '../../../domain/verify/sms-routes.ts';
import { isDoubted, type TextModeration } from '../../../domain/verify/text-moderation.ts';
import type { SmsText } from '../../wire.ts';

interface Rules {
  readonly routing: SmsRouting;
  readonly moderation: Pick<TextModeration, 'of'>;
}

/** One provider. What its list of approved texts does not cover is not sent, as with codes. */
export const plainSms = (channel: CodeChannel, rules: Rules): Provider<SmsText, 'sms'> => ({
  channel: 'sms',
  provider: channel.provider,
  referenceOf: channel.referenceOf,
  send: async ({ jobId, attempt, phone, text, ttlSeconds }, signal) => {
    const sent = { provider: channel.provider, projectId: PLATFORM_PROJECT_ID, text };
    const { state } = await rules.moderation.of(sent);
    if (state === 'not-approved' && !isDoubted(jobId)) return notModerated;
    const to = { phone, chatId: null, pushToken: null };
    const message = { jobId, attempt, to, code: '', text, title: '', locale: LOCALE_DEFAULT, ttlSeconds };
    return priced(await channel.send(message, signal), { phone, text }, channel.provider, rules.routing);
  },
});

const notModerated: SendReply = {
  kind: 'refused',
  reason: 'text-not-moderated' satisfies CodeEndReason,
  addressIsDead: false,
};

/** What a provider tells itself is taken as it is; else it is the price of its route, for each part. */
function priced(
  reply: SendReply,
  { phone, text }: Pick<SmsText, 'phone' | 'text'>,
  provider: string,
  routing: SmsRouting,
): SendReply {
  if (reply.kind !== 'accepted' || reply.cost !== null) return reply;
  const price = routeOf(phone, routing, []).find((one) => one.provider === provider)?.price;
  if (!price) return reply;
  const parts = reply.parts ?? smsSegments(text);
  const whole = { ...price, micros: price.micros * BigInt(parts) };
  return { ...reply, cost: { micros: BigInt(usdMicros(whole, routing.uzsPerUsd)), currency: 'USD' } };
}
