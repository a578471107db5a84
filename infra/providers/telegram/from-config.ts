import type { Redis } from 'ioredis';
import type { TelegramSender } from '../../../domain/telegram/port.ts';
import { telegramSlots } from '../../limits/telegram-slots.ts';
import type { Config } from '../../process/config.ts';

type TelegramConfig = Pick<
  Config,
  'TELEGRAM_BOT_TOKEN' | 'TELEGRAM_API_ROOT' | 'TELEGRAM_MESSAGES_PER_SECOND' | 'TELEGRAM_CHAT_GAP_MS'
>;

/** What sets the bot. */
export const setsTelegram = ['TELEGRAM_BOT_TOKEN'] as const;

/**
 * The bot, or null where it has no token. One for a process: all that it sends waits in one line.
 *
 * @param onMoved writes down that a group became a supergroup.
 * @param redis the connection over which all processes share the bot's pace; it should refuse at once while Redis is away.
 */
export async function telegramFromConfig(
  config: TelegramConfig,
  redis?: Redis,
  onError?: (error: Error) => void,
  onMoved?: (from: string, to: string) => Promise<void>,
): Promise<TelegramSender | null> {
  const { TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot } = config;
  if (!token) return null;
  const { TELEGRAM_MESSAGES_PER_SECOND: messagesPerSecond, TELEGRAM_CHAT_GAP_MS: chatGapMs } = config;
  const { telegramClient } = await import('../telegram/telegram-client.ts');
  const slots = telegramSlots({ token, redis, messagesPerSecond, chatGapMs, onError });
  return telegramClient({ token, apiRoot, slots, onMoved });
}
