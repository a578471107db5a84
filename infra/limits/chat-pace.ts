import type { Redis } from 'ioredis';
import type { ChatPace } from '../../domain/identity/registration/port.ts';
import { windowCounts } from './window-counts.ts';

/** A person who types fast writes every few seconds. */
const CHAT_ACTIONS_MAX = 20;
const WINDOW_SECONDS = 60;

/** What one chat does to the bot, counted over all its processes. */
export function chatPace(redis: Redis, botId: number): ChatPace & { readonly close: () => void } {
  const counts = windowCounts(redis);
  return {
    take: async (chatId) => {
      const key = `chat-${botId}:${chatId}`;
      const { taken } = await counts.add({ key, windowSeconds: WINDOW_SECONDS });
      if (taken <= CHAT_ACTIONS_MAX) return 'within';
      return taken === CHAT_ACTIONS_MAX + 1 ? 'just-exceeded' : 'exceeded';
    },
    close: () => counts.close(),
  };
}
