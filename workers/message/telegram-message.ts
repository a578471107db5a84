import type { TelegramWork } from '../../domain/message/broadcast/work.ts';
import type { Provider } from '../../domain/job/guard.ts';
import type { Chats } from '../../domain/telegram/chat.ts';
import type { TelegramSender } from '../../domain/telegram/port.ts';
import type { SingleDeps } from '../engine/single.ts';
import type { lastLook } from './last-look.ts';

/** What can wait goes behind codes and approvals at the same bot. */
export function telegramMessages(
  bot: TelegramSender,
  isUnwanted: ReturnType<typeof lastLook>,
): Provider<TelegramWork, 'telegram'> {
  return {
    channel: bot.channel,
    provider: bot.provider,
    send: (work, signal) => {
      const { chatId, content } = work;
      return bot.send({ chatId, ...content, urgent: false, lastLook: () => isUnwanted(work) }, signal);
    },
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
