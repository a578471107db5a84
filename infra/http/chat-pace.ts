import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { ChatPace } from '../../domain/registration/port.ts';

/** A person who types fast writes every few seconds. */
const CHAT_DEEDS_MAX = 20;
const WINDOW_SECONDS = 60;

/** What one chat does to the bot, counted over all its processes; while Redis is away, in this one. */
export function chatPace(redis: Redis, botId: number): ChatPace {
  const window = {
    points: CHAT_DEEDS_MAX,
    duration: WINDOW_SECONDS,
    keyPrefix: `chat-${botId}`,
  };
  const limiter = new RateLimiterRedis({
    ...window,
    storeClient: redis,
    insuranceLimiter: new RateLimiterMemory(window),
  });
  return {
    take: async (chatId) => {
      const { consumedPoints } = await limiter.penalty(chatId);
      if (consumedPoints <= CHAT_DEEDS_MAX) return 'within';
      return consumedPoints === CHAT_DEEDS_MAX + 1 ? 'just-exceeded' : 'exceeded';
    },
  };
}
