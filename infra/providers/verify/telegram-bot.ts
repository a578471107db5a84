import type { CodeChannel } from '../../../domain/verify/port.ts';
import type { TelegramSender } from '../../../domain/telegram/port.ts';
import { addressOf } from '../replies.ts';

/** Codes by the bot, to a chat that has opened it. They pass the bot's other messages, whose turns they share. */
export function telegramBot(client: TelegramSender): CodeChannel {
  return {
    channel: client.channel,
    provider: client.provider,
    send: (message, signal) =>
      client.send(
        {
          chatId: addressOf(client.provider, message.to.chatId),
          text: message.text,
          format: 'plain',
          // "Forward me the code" is the commonest fraud; since what can't be forwarded can't be copied, a button does that.
          protect: true,
          copyText: message.code,
          urgent: true,
        },
        signal,
      ),
  };
}
