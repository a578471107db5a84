import type { TelegramWork } from '../domain/broadcast/work.ts';
import type { Provider } from '../domain/job/guard.ts';
import type { TelegramSender } from '../domain/telegram/port.ts';
import type { SingleDeps } from './single.ts';
import type { ProviderRefusal } from '../domain/job/reply.ts';

export interface ChatCloser {
  /** The person blocked the bot, or the chat is gone: nothing more is sent there until they come back. */
  closeChat(chatId: string, reason: ProviderRefusal): Promise<void>;
}

/** What can wait goes behind codes and approvals at the same bot. */
export function telegramMessages(bot: TelegramSender): Provider<TelegramWork, 'telegram'> {
  return {
    channel: bot.channel,
    provider: bot.provider,
    send: ({ chatId, content }, signal) => bot.send({ chatId, ...content, urgent: false }, signal),
  };
}

export function closeDeadChat(addresses: ChatCloser): NonNullable<SingleDeps<TelegramWork>['afterReply']> {
  return async (_job, { chatId }, _attempt, reply) => {
    if (reply.reply === 'refused' && reply.addressIsDead) await addresses.closeChat(chatId, reply.reason);
  };
}
