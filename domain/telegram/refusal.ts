import type { ProviderReason } from '../job/reasons.ts';
import type { TelegramRefusalReason } from './reasons.ts';

type RefusalReason = TelegramRefusalReason | ProviderReason;

/** What a refusal of Telegram's is about. `dead`: nothing more is sent to this chat until somebody opens it. */
export interface TelegramRefusal {
  readonly reason: RefusalReason;
  readonly dead: boolean;
}

const dead = (reason: RefusalReason): TelegramRefusal => ({ reason, dead: true });
const alive = (reason: RefusalReason): TelegramRefusal => ({ reason, dead: false });

/**
 * Telegram's wordings, the narrower ones first: its codes alone do not tell a closed chat from a message that is too long. Found in
 * https://core.telegram.org/method/messages.sendMessage and in the source of telegram-bot-api.
 */
const wordings: readonly (readonly [RegExp, TelegramRefusal])[] = [
  [/blocked by the user|USER_IS_BLOCKED/i, dead('bot-blocked')],
  [/user is deactivated|USER_DEACTIVATED|INPUT_USER_DEACTIVATED/i, dead('user-deactivated')],
  [/can't initiate conversation/i, dead('bot-not-started')],
  [/bot was kicked|is not a member|CHANNEL_PRIVATE/i, dead('bot-kicked')],
  [/upgraded to a supergroup/i, dead('chat-upgraded')],
  [
    /chat not found|PEER_ID_INVALID|CHAT_ID_INVALID|user not found|group chat was deleted/i,
    dead('chat-not-found'),
  ],
  [/send messages to bots|USER_IS_BOT/i, dead('chat-not-found')],
  [/TOPIC_CLOSED|TOPIC_DELETED|topic (?:is )?closed|message thread not found/i, alive('topic-closed')],
  [
    /(?:not enough|have no|no) rights|need administrator rights|CHAT_WRITE_FORBIDDEN|CHAT_SEND_\w+_FORBIDDEN/i,
    alive('no-rights'),
  ],
  [/CHAT_RESTRICTED|CHAT_ADMIN_REQUIRED|CHAT_GUEST_SEND_FORBIDDEN/i, alive('no-rights')],
  [/too long|MESSAGE_TOO_LONG/i, alive('message-too-long')],
  [/can't parse|can't find end|ENTITY_BOUNDS_INVALID|ENTITIES_TOO_LONG/i, alive('markup-invalid')],
];

/**
 * @param errorCode a 4xx of the Bot API other than 429.
 * @param description Telegram's own words.
 */
export function telegramRefusal(errorCode: number, description: string): TelegramRefusal {
  const known = wordings.find(([wording]) => wording.test(description));
  if (known) return known[1];
  // The token stands in the path, so that a wrong one may also be "not found".
  if (errorCode === 401 || errorCode === 404) return alive('credentials');
  return alive(errorCode === 400 ? 'message-invalid' : 'provider-refused');
}
