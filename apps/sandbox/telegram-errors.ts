/** The refusals of a sending method that are final for its chat, worded as Telegram words them. */
export const TELEGRAM_REFUSALS = {
  blocked: { code: 403, description: 'Forbidden: bot was blocked by the user' },
  deactivated: { code: 403, description: 'Forbidden: user is deactivated' },
  'cannot-initiate': { code: 403, description: "Forbidden: bot can't initiate conversation with a user" },
  kicked: { code: 403, description: 'Forbidden: bot was kicked from the group chat' },
  'kicked-from-supergroup': { code: 403, description: 'Forbidden: bot was kicked from the supergroup chat' },
  'not-a-member': { code: 403, description: 'Forbidden: bot is not a member of the channel chat' },
  'no-rights': { code: 400, description: 'Bad Request: not enough rights to send text messages to the chat' },
  'have-no-rights': { code: 400, description: 'Bad Request: have no rights to send a message' },
  'write-forbidden': { code: 403, description: 'Forbidden: CHAT_WRITE_FORBIDDEN' },
  'peer-invalid': { code: 400, description: 'Bad Request: PEER_ID_INVALID' },
  'topic-closed': { code: 400, description: 'Bad Request: TOPIC_CLOSED' },
  'too-long': { code: 400, description: 'Bad Request: message is too long' },
  'cannot-parse': {
    code: 400,
    description: 'Bad Request: can\'t parse entities: Unsupported start tag "p" at byte offset 0',
  },
  'chat-not-found': { code: 400, description: 'Bad Request: chat not found' },
  unauthorized: { code: 401, description: 'Unauthorized' },
} as const;
export type TelegramRefusal = keyof typeof TELEGRAM_REFUSALS;
