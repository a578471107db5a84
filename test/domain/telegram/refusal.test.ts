import { expect, test } from 'vitest';
import { isChatClosing } from '../../../domain/telegram/chat.ts';
import { telegramRefusal } from '../../../domain/telegram/refusal.ts';

const closed = (reason: string) => ({ reason, dead: true });
const about = (reason: string) => ({ reason, dead: false });

test.each([
  [403, 'Forbidden: bot was blocked by the user', closed('bot-blocked')],
  [403, 'Forbidden: user is deactivated', closed('user-deactivated')],
  [403, "Forbidden: bot can't initiate conversation with a user", closed('bot-not-started')],
  [403, "Forbidden: bot can't send messages to bots", closed('chat-not-found')],
  [403, 'Forbidden: bot was kicked from the group chat', closed('bot-kicked')],
  [403, 'Forbidden: bot was kicked from the supergroup chat', closed('bot-kicked')],
  [403, 'Forbidden: bot was kicked from the channel chat', closed('bot-kicked')],
  [403, 'Forbidden: bot is not a member of the channel chat', closed('bot-kicked')],
  [403, 'Forbidden: the group chat was deleted', closed('chat-not-found')],
  [400, 'Bad Request: chat not found', closed('chat-not-found')],
  [400, 'Bad Request: PEER_ID_INVALID', closed('chat-not-found')],
  [400, 'Bad Request: group chat was upgraded to a supergroup chat', closed('chat-upgraded')],
  [400, 'Bad Request: not enough rights to send text messages to the chat', about('no-rights')],
  [400, 'Bad Request: have no rights to send a message', about('no-rights')],
  [400, 'Bad Request: need administrator rights in the channel chat', about('no-rights')],
  [403, 'Forbidden: CHAT_WRITE_FORBIDDEN', about('no-rights')],
  [400, 'Bad Request: CHAT_SEND_PLAIN_FORBIDDEN', about('no-rights')],
  [400, 'Bad Request: TOPIC_CLOSED', about('topic-closed')],
  [400, 'Bad Request: message thread not found', about('topic-closed')],
  [400, 'Bad Request: message is too long', about('message-too-long')],
  [
    400,
    `Bad Request: can't parse entities: Unsupported start tag "p" at byte offset 0`,
    about('markup-invalid'),
  ],
  [400, 'Bad Request: BUTTON_DATA_INVALID', about('message-invalid')],
  [401, 'Unauthorized', about('credentials')],
  [404, 'Not Found', about('credentials')],
  [403, 'Forbidden: something new', about('provider-refused')],
])('%i "%s"', (errorCode, description, refusal) => {
  expect(telegramRefusal(errorCode, description)).toEqual(refusal);
  expect(isChatClosing(telegramRefusal(errorCode, description).reason)).toBe(refusal.dead);
});
