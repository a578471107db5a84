import { z } from 'zod';
import { StorableText } from '../../domain/shared/bad-text.ts';
import { type Locale, localeOfTag } from '../../domain/shared/locale.ts';
import { TelegramId } from '../../domain/identity/registration/user.ts';
import type { ButtonPress } from '../../domain/telegram/button.ts';
import type { ChatFact } from '../../domain/telegram/chat.ts';
import { chatOfUpdate } from '../../domain/telegram/update.ts';
import { BotLocale } from './texts.ts';

/** Who did something in their own chat with the bot: in a private chat both ids are one. */
export interface Person {
  readonly telegramId: number;
  /** Their app's language, where we write it. */
  readonly locale: Locale | null;
}

/** What a person did. */
export type BotAction =
  | { readonly kind: 'start'; readonly payload: string | null }
  | { readonly kind: 'help' }
  /** `choice` is null where they ask which there are. */
  | { readonly kind: 'language'; readonly choice: BotLocale | null; readonly queryId: string | null }
  | { readonly kind: 'stop' }
  /** `page` from 1. */
  | { readonly kind: 'settings'; readonly page: number }
  | { readonly kind: 'unlock' }
  /** `isOwn`: Telegram says that the number is the sender's. */
  | { readonly kind: 'contact'; readonly phone: string; readonly isOwn: boolean }
  | { readonly kind: 'text'; readonly text: string };

/** What happened to a chat, or in one, that nobody is answered for in words. */
export type News =
  | { readonly kind: 'fact'; readonly chatId: number; readonly fact: ChatFact }
  /** A group became a supergroup with an id of its own. */
  | { readonly kind: 'moved'; readonly from: number; readonly to: number }
  /** A button under a message that a project sent. */
  | { readonly kind: 'pressed'; readonly press: ButtonPress };

/** All null for an update that is not for us. */
export interface Update {
  readonly updateId: number;
  /** Whose updates are worked on one after the other. */
  readonly chatId: number | null;
  readonly what: (BotAction & { readonly by: Person }) | null;
  readonly news: News | null;
}

/** The kinds that are asked of Telegram; all others stay with it. */
export const updateKinds = ['message', 'callback_query', 'my_chat_member'] as const;
/** In front of the locale on the buttons of `/language`. */
export const LANGUAGE_BUTTON = 'language:';

const From = z.object({
  id: TelegramId,
  is_bot: z.boolean().default(false),
  language_code: z.string().optional(),
});
const Chat = z.object({ id: z.int(), type: z.string() });
const Message = z.object({
  from: From,
  chat: Chat,
  text: z.string().optional(),
  contact: z.object({ phone_number: z.string(), user_id: z.int().optional() }).optional(),
});
const Pressed = z.object({
  id: StorableText,
  from: From,
  // Whoever presses can send other bytes than the button has.
  data: StorableText.optional().catch(undefined),
  message: z.object({ chat: Chat, message_id: z.int() }).optional(),
});
/** Whoever wrote it: in groups admins may write as the group itself, and service messages come from anybody. */
const InGroup = z.object({
  chat: Chat,
  migrate_to_chat_id: z.int().optional(),
  migrate_from_chat_id: z.int().optional(),
});
const Member = z.object({
  chat: Chat,
  new_chat_member: z.object({ status: z.string(), is_member: z.boolean().optional() }),
});
const Numbered = z.looseObject({ update_id: z.int() });

/** Reads an update of the Bot API; null where it is none. */
export function readUpdate(update: unknown): Update | null {
  const numbered = Numbered.safeParse(update).data;
  if (!numbered) return null;
  const { update_id: updateId, message, callback_query: pressed, my_chat_member: member } = numbered;
  const what = messageAction(message) ?? pressedAction(pressed);
  const news = what ? null : (groupNews(message) ?? pressedNews(pressed) ?? memberNews(member));
  return { updateId, chatId: chatOfUpdate(numbered), what, news };
}

/** Null unless a person is alone with the bot: in a group others would read along. */
function personIn(chat: z.infer<typeof Chat> | undefined, from: z.infer<typeof From>): Person | null {
  if (chat?.type !== 'private' || chat.id !== from.id || from.is_bot) return null;
  // A language tag (RFC 5646) such as `ru` or `en-GB`.
  return { telegramId: from.id, locale: localeOfTag(from.language_code) };
}

function messageAction(message: unknown): Update['what'] {
  const parsed = Message.safeParse(message).data;
  const by = parsed && personIn(parsed.chat, parsed.from);
  if (!by) return null;
  if (parsed.contact) {
    const { phone_number: phone, user_id: owner } = parsed.contact;
    return { kind: 'contact', phone, isOwn: owner === by.telegramId, by };
  }
  return { ...textAction(parsed.text ?? ''), by };
}

/** `/name@bot` names this bot: in a private chat there is no other. `/settings_2` is its second page: Telegram shows it as a link. */
const COMMAND = /^\/([a-z]+)(?:_(\d{1,3}))?(?:@\w+)?(?:\s+(.*))?$/is;
/** Of a deep link (contracts §3). */
const PAYLOAD = /^[A-Za-z0-9_-]{1,64}$/;

function textAction(text: string): BotAction {
  const [, name = '', page, rest = ''] = COMMAND.exec(text.trim()) ?? [];
  if (page !== undefined && name.toLowerCase() !== 'settings') return { kind: 'text', text };
  switch (name.toLowerCase()) {
    case 'start':
      return { kind: 'start', payload: PAYLOAD.test(rest) ? rest : null };
    case 'help':
      return { kind: 'help' };
    case 'stop':
      return { kind: 'stop' };
    case 'settings':
      return { kind: 'settings', page: Math.max(1, Number(page ?? 1)) };
    case 'unlock':
      return { kind: 'unlock' };
    case 'language':
      return {
        kind: 'language',
        choice: BotLocale.safeParse(rest.trim().toLowerCase()).data ?? null,
        queryId: null,
      };
    default:
      return { kind: 'text', text };
  }
}

function pressedAction(pressed: unknown): Update['what'] {
  const parsed = Pressed.safeParse(pressed).data;
  const by = parsed && personIn(parsed.message?.chat, parsed.from);
  if (!by || !parsed.data?.startsWith(LANGUAGE_BUTTON)) return null;
  const choice = BotLocale.safeParse(parsed.data.slice(LANGUAGE_BUTTON.length)).data ?? null;
  return { kind: 'language', choice, queryId: parsed.id, by };
}

function pressedNews(pressed: unknown): News | null {
  const { id: queryId, from, data, message } = Pressed.safeParse(pressed).data ?? {};
  if (queryId === undefined || !from) return null;
  // A game, or a message that is too old to be named: the client's wait ends all the same.
  const under = message && data !== undefined ? { ...message, data } : null;
  return {
    kind: 'pressed',
    press: {
      queryId,
      userId: from.id,
      under: under && { chatId: under.chat.id, messageId: under.message_id, data: under.data },
    },
  };
}

/** A message from a group shows that the bot is in it, and some tell that the group has a new id. */
function groupNews(message: unknown): News | null {
  const parsed = InGroup.safeParse(message).data;
  if (!parsed || parsed.chat.type === 'private') return null;
  const { chat, migrate_to_chat_id: to, migrate_from_chat_id: from } = parsed;
  if (to !== undefined) return { kind: 'moved', from: chat.id, to };
  if (from !== undefined) return { kind: 'moved', from, to: chat.id };
  return { kind: 'fact', chatId: chat.id, fact: { kind: 'reached' } };
}

/** Blocked and unblocked by a person; let in and removed by a group or a channel. */
function memberNews(member: unknown): News | null {
  const parsed = Member.safeParse(member).data;
  if (!parsed) return null;
  const { chat, new_chat_member: bot } = parsed;
  const isGone = bot.status === 'kicked' || bot.status === 'left' || bot.is_member === false;
  const because = chat.type === 'private' ? 'bot-blocked' : 'bot-kicked';
  return { kind: 'fact', chatId: chat.id, fact: isGone ? { kind: 'left', because } : { kind: 'reached' } };
}
