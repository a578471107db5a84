import { z } from 'zod';
import { Locale } from '../../domain/otp/text.ts';
import { TelegramId } from '../../domain/registration/user.ts';

/** Who did something in their own chat with the bot: in a private chat both ids are one. */
export interface Person {
  readonly telegramId: number;
  /** Their app's language, where we speak it. */
  readonly locale: Locale | null;
}

/** What a person did. */
export type Deed =
  | { readonly deed: 'start'; readonly payload: string | null }
  | { readonly deed: 'help' }
  /** `choice` is null where they ask which there are. */
  | { readonly deed: 'language'; readonly choice: Locale | null; readonly queryId: string | null }
  | { readonly deed: 'stop' }
  | { readonly deed: 'unlock' }
  /** `isOwn`: Telegram says that the number is the sender's. */
  | { readonly deed: 'contact'; readonly phone: string; readonly isOwn: boolean }
  | { readonly deed: 'text'; readonly text: string }
  | { readonly deed: 'block' }
  | { readonly deed: 'unblock' };

/** `what` is null for an update that is not for us: a group, a channel, a picture. */
export interface Update {
  readonly updateId: number;
  readonly what: (Deed & { readonly by: Person }) | null;
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
  id: z.string(),
  from: From,
  data: z.string().optional(),
  message: z.object({ chat: Chat }).optional(),
});
const Member = z.object({ from: From, chat: Chat, new_chat_member: z.object({ status: z.string() }) });
const Numbered = z.looseObject({ update_id: z.int() });

/** Reads an update of the Bot API; null where it is none. */
export function readUpdate(update: unknown): Update | null {
  const numbered = Numbered.safeParse(update).data;
  if (!numbered) return null;
  const { update_id: updateId, message, callback_query: pressed, my_chat_member: member } = numbered;
  const what = messageDeed(message) ?? pressedDeed(pressed) ?? memberDeed(member);
  return { updateId, what };
}

/** Null unless a person is alone with the bot: in a group others would read along. */
function personIn(chat: z.infer<typeof Chat> | undefined, from: z.infer<typeof From>): Person | null {
  if (chat?.type !== 'private' || chat.id !== from.id || from.is_bot) return null;
  // A language tag (RFC 5646) such as `ru` or `en-GB`.
  const locale = Locale.safeParse(from.language_code?.split('-', 1)[0]).data ?? null;
  return { telegramId: from.id, locale };
}

function messageDeed(message: unknown): Update['what'] {
  const parsed = Message.safeParse(message).data;
  const by = parsed && personIn(parsed.chat, parsed.from);
  if (!by) return null;
  if (parsed.contact) {
    const { phone_number: phone, user_id: owner } = parsed.contact;
    return { deed: 'contact', phone, isOwn: owner === by.telegramId, by };
  }
  return { ...textDeed(parsed.text ?? ''), by };
}

/** `/name@bot` names this bot: in a private chat there is no other. */
const COMMAND = /^\/([a-z]+)(?:@\w+)?(?:\s+(.*))?$/is;
/** Of a deep link (contracts §3). */
const PAYLOAD = /^[A-Za-z0-9_-]{1,64}$/;

function textDeed(text: string): Deed {
  const [, name = '', rest = ''] = COMMAND.exec(text.trim()) ?? [];
  switch (name.toLowerCase()) {
    case 'start':
      return { deed: 'start', payload: PAYLOAD.test(rest) ? rest : null };
    case 'help':
      return { deed: 'help' };
    case 'stop':
      return { deed: 'stop' };
    case 'unlock':
      return { deed: 'unlock' };
    case 'language':
      return {
        deed: 'language',
        choice: Locale.safeParse(rest.trim().toLowerCase()).data ?? null,
        queryId: null,
      };
    default:
      return { deed: 'text', text };
  }
}

function pressedDeed(pressed: unknown): Update['what'] {
  const parsed = Pressed.safeParse(pressed).data;
  const by = parsed && personIn(parsed.message?.chat, parsed.from);
  if (!by || !parsed.data?.startsWith(LANGUAGE_BUTTON)) return null;
  const choice = Locale.safeParse(parsed.data.slice(LANGUAGE_BUTTON.length)).data ?? null;
  return { deed: 'language', choice, queryId: parsed.id, by };
}

function memberDeed(member: unknown): Update['what'] {
  const parsed = Member.safeParse(member).data;
  const by = parsed && personIn(parsed.chat, parsed.from);
  if (!by) return null;
  if (parsed.new_chat_member.status === 'kicked') return { deed: 'block', by };
  return parsed.new_chat_member.status === 'member' ? { deed: 'unblock', by } : null;
}
