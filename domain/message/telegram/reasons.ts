import type { Reason } from '../../shared/reason.ts';

/** Why a chat is closed, beside what Telegram itself says of it (`domain/job/reasons.ts`). */
export const telegramReasons = {
  'opted-out': {
    meaning: 'The person sent /stop to the bot and wants no messages.',
    retry: 'after-change',
    nextStep: 'Respect it. The person opens the chat again with /start.',
    seen: ['job', 'chat'],
  },
} as const satisfies Record<string, Reason>;
