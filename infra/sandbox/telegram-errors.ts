/** The refusals of a sending method that are final for its chat, worded as Telegram words them. */
export const TELEGRAM_REFUSALS = {
  blocked: { code: 403, description: 'Forbidden: bot was blocked by the user' },
  deactivated: { code: 403, description: 'Forbidden: user is deactivated' },
  'cannot-initiate': { code: 403, description: "Forbidden: bot can't initiate conversation with a user" },
  kicked: { code: 403, description: 'Forbidden: bot was kicked from the group chat' },
  'chat-not-found': { code: 400, description: 'Bad Request: chat not found' },
  unauthorized: { code: 401, description: 'Unauthorized' },
} as const;
export type TelegramRefusal = keyof typeof TELEGRAM_REFUSALS;
