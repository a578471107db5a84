import type { Reason } from '../shared/reason.ts';

/** What Telegram refuses for good. */
const refusals = {
  'bot-blocked': {
    meaning: 'The person blocked the Telegram bot.',
    retry: 'after-change',
    nextStep: 'The person unblocks the bot or presses Start in it. Or use another channel.',
    seen: ['job', 'attempt', 'chat'],
  },
  'bot-kicked': {
    meaning: 'The Telegram bot was removed from the group or channel, or is not a member of it.',
    retry: 'after-change',
    nextStep: 'An admin of the group or channel adds the bot again, which opens the chat immediately.',
    seen: ['job', 'attempt', 'chat'],
  },
  'bot-not-started': {
    meaning: 'The person has never started the Telegram bot, and a bot may not write first.',
    retry: 'after-change',
    nextStep: 'The person presses Start in the bot. Or use another channel.',
    seen: ['job', 'attempt', 'chat'],
  },
  'user-deactivated': {
    meaning: 'The Telegram account was deleted or banned.',
    retry: 'no',
    nextStep: 'Ask the person for another way to reach them, and remove the chat from the recipient.',
    seen: ['job', 'attempt', 'chat'],
  },
  'chat-not-found': {
    meaning: 'Telegram knows no such chat, or the bot was never there.',
    retry: 'after-change',
    nextStep: 'Check the chat id; the person presses Start in the bot, or an admin adds it to the group.',
    seen: ['job', 'attempt', 'chat'],
  },
  'chat-upgraded': {
    meaning: 'The group became a supergroup with another chat id, which Telegram did not name.',
    retry: 'after-change',
    nextStep:
      'Somebody writes /start in the group, or an admin adds the bot again; then use the new chat id.',
    seen: ['job', 'attempt', 'chat'],
  },
  'no-rights': {
    meaning: 'The Telegram bot is in the chat but may not write there.',
    retry: 'after-change',
    nextStep: 'An admin of the group or channel allows the bot to send messages.',
    seen: ['job', 'attempt'],
  },
  'topic-closed': {
    meaning: "The group's topic for this message is closed or deleted.",
    retry: 'after-change',
    nextStep: 'An admin of the group opens the topic again.',
    seen: ['job', 'attempt'],
  },
  'message-too-long': {
    meaning: 'The text is longer than the provider accepts.',
    retry: 'after-change',
    nextStep: 'Shorten the text, and send it again.',
    seen: ['job', 'attempt'],
  },
  'markup-invalid': {
    meaning: 'The provider cannot read the markup of the text.',
    retry: 'after-change',
    nextStep: 'Correct the markup (see provider_message of the attempt), and send it again.',
    seen: ['job', 'attempt'],
  },
} as const satisfies Record<string, Reason>;
export type TelegramRefusalReason = keyof typeof refusals;

/** Why nothing reaches a chat. */
export const telegramReasons = {
  ...refusals,
  'opted-out': {
    meaning: 'The person sent /stop to the bot and wants no messages.',
    retry: 'after-change',
    nextStep: 'Respect it. The person opens the chat again with /start.',
    seen: ['job', 'attempt', 'chat'],
  },
} as const satisfies Record<string, Reason>;
