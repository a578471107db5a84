import type { Provider } from '../../../domain/job/guard.ts';
import type { SendReply } from '../../../domain/job/reply.ts';
import type { NoWork } from '../../../domain/job/single.ts';
import type { LinkReason } from '../../../domain/pay/link/reasons.ts';
import type { TakeLinkSms } from '../../../domain/pay/link/sms-limit.ts';
import { linkSms, linkText } from '../../../domain/pay/link/text.ts';
import { type LinkFacts, type LinkWay, nextWay } from '../../../domain/pay/link/ways.ts';
import type { TelegramSender } from '../../../domain/telegram/port.ts';
import type { SmsSenders, SmsText } from '../../wire.ts';

/** One link, worded for the way by which it goes. */
export type LinkWork =
  | { readonly by: 'telegram'; readonly provider: string; readonly chatId: string; readonly text: string }
  | ({ readonly by: 'sms'; readonly provider: string } & SmsText);

export interface LinkWays {
  /** Null where the bot is off. */
  readonly bot: Pick<TelegramSender, 'provider'> | null;
  /** Null where no product sends SMS. */
  readonly sms: Pick<SmsSenders, 'routeOf'> | null;
  readonly urlOf: (token: string) => string;
  readonly now: () => Date;
}

const SECOND_MS = 1_000;

/** What a wake-up sends, and by which way; or why it sends nothing. Null where the token can't be read any more. */
export const linkWork =
  (ways: LinkWays) =>
  (facts: LinkFacts): LinkWork | NoWork | null => {
    const way = nextWay(facts, waysTo(facts, ways));
    if (!('provider' in way)) return way;
    if (facts.token === null) return null;
    const { chatId, phone, jobId, attempt, expiresAt } = facts;
    const said = { ...facts, url: ways.urlOf(facts.token) };
    if (way.channel === 'telegram' && chatId !== null)
      return { by: 'telegram', provider: way.provider, chatId, text: linkText(said) };
    const ttlSeconds = Math.max(1, Math.floor((expiresAt.getTime() - ways.now().getTime()) / SECOND_MS));
    return { by: 'sms', provider: way.provider, phone, jobId, attempt, text: linkSms(said), ttlSeconds };
  };

/** The bot first: it costs nothing, and says more. */
const waysTo = ({ chatId, phone }: LinkFacts, { bot, sms }: LinkWays): readonly LinkWay[] => [
  ...(bot && chatId !== null ? [{ channel: 'telegram', provider: bot.provider } as const] : []),
  ...(sms?.routeOf(phone) ?? []).map((provider) => ({ channel: 'sms', provider }) as const),
];

/** @param closeChat nothing more is sent to a chat that Telegram calls closed, until something opens it. */
export const byBot = (
  bot: TelegramSender,
  closeChat: (chatId: string, reason: string, sentAt: Date) => Promise<unknown>,
  now: () => Date,
): Provider<LinkWork> => ({
  channel: bot.channel,
  provider: bot.provider,
  send: async (work, signal) => {
    if (work.by !== 'telegram') throw new Error('an SMS was given to the bot');
    const { chatId, text } = work;
    const sentAt = now();
    const reply = await bot.send({ chatId, text, format: 'plain', silent: false, urgent: false }, signal);
    if (reply.kind === 'refused' && reply.addressIsDead) await closeChat(chatId, reply.reason, sentAt);
    return orAnotherWay(reply);
  },
});

/** @param take counts it, before it costs. */
export const bySms = (provider: Provider<SmsText, 'sms'>, take: TakeLinkSms): Provider<LinkWork> => ({
  channel: provider.channel,
  provider: provider.provider,
  referenceOf: provider.referenceOf,
  send: async (work, signal) => {
    if (work.by !== 'sms') throw new Error('a message of the bot was given to a provider of SMS');
    // No other provider is cheaper: the link waits for another day.
    if (!(await take(work.jobId))) return { kind: 'refused', reason: spent, addressIsDead: false };
    return orAnotherWay(await provider.send(work, signal));
  },
});

const spent = 'link-sms-spent' satisfies LinkReason;

/** What one way refuses for good, another may take: the job goes on, and counts it as a failure of this way. */
const orAnotherWay = (reply: SendReply): SendReply =>
  reply.kind === 'refused'
    ? { kind: 'faulted', reason: reply.reason, ...(reply.detail !== undefined && { detail: reply.detail }) }
    : reply;
