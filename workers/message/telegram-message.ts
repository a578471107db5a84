import type { TelegramWork } from '../../domain/message/broadcast/work.ts';
import type { Provider } from '../../domain/job/guard.ts';
import type { Chats } from '../../domain/telegram/chat.ts';
import type { TelegramSender } from '../../domain/telegram/port.ts';
import type { SingleDeps } from '../engine/single.ts';

/** What can wait goes behind codes and approvals at the same bot. */
export function telegramMessages(bot: TelegramSender): Provider<TelegramWork, 'telegram'> {
  return {
    channel: bot.channel,
    provider: bot.provider,
    send: ({ chatId, content }, signal) => bot.send({ chatId, ...content, urgent: false }, signal),
  };
}

/** Nothing more is sent to a chat that Telegram calls closed, until something opens it. */
export function closeDeadChat(
  chats: Pick<Chats, 'close'>,
  now: () => Date,
): NonNullable<SingleDeps<TelegramWork>['afterReply']> {
  return async (_job, { chatId }, _attempt, reply, sentAt) => {
    if (reply.kind === 'refused' && reply.addressIsDead)
      await chats.close(chatId, reply.reason, sentAt, now());
  };
}
