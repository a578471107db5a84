import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { telegramSlots, type TelegramSlotsOptions } from '../../../infra/limits/telegram-slots.ts';
import { freshRedis } from '../../support/servers.ts';

/** Ten times Telegram's pace, so that seconds of it are enough. */
export const FAST = { messagesPerSecond: 290, chatGapMs: 100 };
export const TOKEN = '7000000001:secret-of-the-bot';
export const NEVER = new AbortController().signal;

export const chatsOf = (count: number, from = 1) => Array.from({ length: count }, (_, n) => String(from + n));

export async function slotsAt(options: Partial<TelegramSlotsOptions> = {}) {
  const redis = new Redis(await freshRedis(), { enableOfflineQueue: false, maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  await new Promise((resolve) => redis.once('ready', resolve));
  onTestFinished(() => redis.disconnect());
  return { redis, slots: telegramSlots({ token: TOKEN, redis, ...FAST, ...options }) };
}
