import { z } from 'zod';
import { type Fields, type Incoming, type Reply } from './http.ts';
import { referenceOf } from './inbox.ts';
import type { Message } from './message.ts';
import { CALLBACK_DATA_BYTES_MAX } from '../../domain/telegram/message.ts';
import { type Chat, privateChat, type TelegramBot } from './telegram-bot.ts';
import { badRequest, ok, refused } from './telegram-reply.ts';
import { type FormattedText, parseText, TEXT_UNITS_MAX } from '../../domain/telegram/markup.ts';
import { deleteWebhook, getUpdates, getWebhookInfo, setWebhook } from './telegram-updates.ts';
import type { FaultOutcome } from './under-fault.ts';
import type { World } from './world.ts';
import { parseJson } from '../../domain/shared/json.ts';

const COMMANDS_MAX = 100;

export interface TelegramCall {
  bot: TelegramBot;
  fields: Fields;
  incoming: Incoming;
  world: World;
  faultOutcome: FaultOutcome;
}
export interface TelegramMethod {
  /** True where a chat sees something new: only these are struck by a fault that names no method. */
  sends: boolean;
  run(call: TelegramCall): Promise<Reply> | Reply;
}

/** A form carries numbers and objects as text. */
const Id = z.coerce.number().int();
const Structure = z.preprocess(
  (value) => (typeof value === 'string' ? parseJson(value) : value),
  z.unknown(),
);
const OfChat = z.object({ chat_id: z.union([z.string(), z.number()]).transform(String) });
const OfMessage = OfChat.extend({ message_id: Id });
const WithText = OfChat.extend({
  text: z.coerce.string().default(''),
  parse_mode: z.string().optional(),
  entities: Structure.optional(),
  reply_markup: Structure.optional(),
});

/** The methods that the sandbox knows, by their names in lower case, since Telegram does not tell the cases apart. */
export const TELEGRAM_METHODS: Record<string, TelegramMethod> = {
  getme: {
    sends: false,
    run: ({ bot }) =>
      ok({
        ...bot.user,
        can_join_groups: true,
        can_read_all_group_messages: false,
        supports_inline_queries: false,
      }),
  },
  sendmessage: { sends: true, run: sendMessage },
  editmessagetext: { sends: true, run: editMessageText },
  editmessagereplymarkup: { sends: true, run: editMessageText },
  deletemessage: { sends: false, run: deleteMessage },
  sendchataction: { sends: false, run: (call) => onChat(call, () => ok(true)) },
  getchat: { sends: false, run: (call) => onChat(call, (chat) => ok(chat)) },
  answercallbackquery: { sends: false, run: answerCallbackQuery },
  setmycommands: { sends: false, run: setMyCommands },
  getmycommands: { sends: false, run: ({ bot }) => ok(bot.commands) },
  deletemycommands: {
    sends: false,
    run: ({ bot }) => {
      bot.commands = [];
      return ok(true);
    },
  },
  getupdates: {
    sends: false,
    run: ({ bot, fields, incoming, world }) => getUpdates(bot, fields, incoming, world),
  },
  setwebhook: { sends: false, run: ({ bot, fields, world }) => setWebhook(bot, fields, world) },
  deletewebhook: { sends: false, run: ({ bot, fields }) => deleteWebhook(bot, fields) },
  getwebhookinfo: { sends: false, run: ({ bot }) => getWebhookInfo(bot) },
};

/** The chat that a call names; undefined when Telegram would not know it. Every person (a positive id) is known. */
export function chatOf(bot: TelegramBot, chatId: string): Chat | undefined {
  const id = Number(chatId);
  if (!Number.isSafeInteger(id) || chatId === '') return undefined;
  return bot.chats.get(id) ?? (id > 0 ? privateChat(id) : undefined);
}

function onChat({ bot, fields }: TelegramCall, act: (chat: Chat) => Reply): Reply {
  const parameters = OfChat.safeParse(fields);
  if (!parameters.success || parameters.data.chat_id === '') return badRequest('chat_id is empty');
  const chat = chatOf(bot, parameters.data.chat_id);
  if (!chat) return badRequest('chat not found');
  const movedTo = chat['migrate_to_chat_id'];
  if (typeof movedTo !== 'number') return act(chat);
  const words = 'Bad Request: group chat was upgraded to a supergroup chat';
  return refused(400, words, { migrate_to_chat_id: movedTo });
}

function sendMessage(call: TelegramCall): Reply {
  return onChat(call, (chat) => {
    const { bot, world, faultOutcome, incoming } = call;
    const parameters = WithText.safeParse(call.fields);
    if (!parameters.success) return badRequest('invalid parameters');
    const { text, parse_mode, entities, reply_markup } = parameters.data;
    const formatted = readText(text, parse_mode);
    if ('status' in formatted) return formatted;
    const problem = buttonProblem(reply_markup);
    if (problem !== undefined) return badRequest(problem);
    const message = world.inbox.add({
      channel: 'telegram',
      to: String(chat.id),
      from: String(bot.id),
      text: formatted.text,
      provider_reference: String(bot.nextMessageId()),
      status: faultOutcome.fate === 'delivered' ? 'delivered' : 'sent',
      fate: faultOutcome.fate === 'delivered' ? 'delivered' : 'lost',
      details: {
        ...(formatted.entities.length > 0 || entities ? { entities: entities ?? formatted.entities } : {}),
        ...(reply_markup === undefined ? {} : { reply_markup }),
      },
    });
    incoming.trace.message_id = message.id;
    return ok(messageBody(bot, chat, message));
  });
}

function editMessageText(call: TelegramCall): Reply {
  return onMessage(
    call,
    (chat, message) => {
      const parameters = WithText.safeParse(call.fields);
      if (!parameters.success) return badRequest('invalid parameters');
      const { text, parse_mode, reply_markup } = parameters.data;
      const onlyMarkup = call.fields['text'] === undefined;
      const formatted = onlyMarkup ? { text: message.text, entities: [] } : readText(text, parse_mode);
      if ('status' in formatted) return formatted;
      const before = JSON.stringify(message.details['reply_markup']);
      if (formatted.text === message.text && JSON.stringify(reply_markup) === before) {
        return badRequest(
          'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
        );
      }
      call.world.inbox.amend(message, {
        text: formatted.text,
        details: { edited_at: call.world.clock().toISOString(), entities: formatted.entities, reply_markup },
      });
      return ok(messageBody(call.bot, chat, message));
    },
    'edit',
  );
}

function deleteMessage(call: TelegramCall): Reply {
  return onMessage(
    call,
    (_chat, message) => {
      call.world.inbox.amend(message, { status: 'deleted' });
      return ok(true);
    },
    'delete',
  );
}

function onMessage(
  call: TelegramCall,
  act: (chat: Chat, message: Message) => Reply,
  verb: 'edit' | 'delete',
): Reply {
  return onChat(call, (chat) => {
    const parameters = OfMessage.safeParse(call.fields);
    if (!parameters.success) return badRequest('message identifier is not specified');
    const reference = referenceOf('telegram', String(call.bot.id), String(parameters.data.message_id));
    const message = call.world.inbox.byReference('telegram', reference);
    if (!message || message.to !== String(chat.id) || message.status === 'deleted')
      return badRequest(`message to ${verb} not found`);
    return act(chat, message);
  });
}

/** The plain text and its entities, or the answer that says why there are none. */
function readText(
  source: string,
  parseMode: string | undefined,
): FormattedText | (Reply & { status: number }) {
  const formatted = parseText(source, parseMode);
  if ('problem' in formatted) {
    return badRequest(
      formatted.problem === 'unsupported parse_mode'
        ? formatted.problem
        : `can't parse entities: ${formatted.problem}`,
    );
  }
  if (formatted.text.trim() === '') return badRequest('message text is empty');
  if (formatted.text.length > TEXT_UNITS_MAX) return badRequest('message is too long');
  return formatted;
}

/** As Telegram names them; the first that is wrong. */
function buttonProblem(markup: unknown): string | undefined {
  const buttons = InlineKeyboard.safeParse(markup).data?.inline_keyboard.flat() ?? [];
  const isTooLong = ({ callback_data: data }: { callback_data?: string | undefined }) =>
    data !== undefined && Buffer.byteLength(data) > CALLBACK_DATA_BYTES_MAX;
  return buttons.some(isTooLong) ? 'BUTTON_DATA_INVALID' : undefined;
}
const InlineKeyboard = z.looseObject({
  inline_keyboard: z.array(z.array(z.looseObject({ callback_data: z.string().optional() }))),
});

function answerCallbackQuery({ bot, fields }: TelegramCall): Reply {
  const query = z.object({ callback_query_id: z.coerce.string() }).safeParse(fields);
  if (query.success && bot.takeAnswer(query.data.callback_query_id)) return ok(true);
  return badRequest('query is too old and response timeout expired or query ID is invalid');
}

const Commands = z.preprocess(
  (value) => (typeof value === 'string' ? parseJson(value) : value),
  z
    .array(
      z.object({ command: z.string().regex(/^[a-z0-9_]{1,32}$/), description: z.string().min(1).max(256) }),
    )
    .max(COMMANDS_MAX),
);

function setMyCommands({ bot, fields }: TelegramCall): Reply {
  const commands = Commands.safeParse(fields['commands']);
  if (!commands.success) return badRequest('BOT_COMMAND_INVALID');
  bot.commands = commands.data;
  return ok(true);
}

/** A Message as the Bot API shows it. Of the markups only inline keyboards come back. */
export function messageBody(bot: TelegramBot, chat: Chat, message: Message): Fields {
  const { entities, reply_markup, edited_at } = message.details;
  const inline =
    typeof reply_markup === 'object' && reply_markup !== null && 'inline_keyboard' in reply_markup;
  return {
    message_id: Number(message.provider_reference),
    from: bot.user,
    chat,
    date: Math.floor(Date.parse(message.received_at) / 1000),
    ...(typeof edited_at === 'string' ? { edit_date: Math.floor(Date.parse(edited_at) / 1000) } : {}),
    text: message.text,
    ...(Array.isArray(entities) && entities.length > 0 ? { entities } : {}),
    ...(inline ? { reply_markup } : {}),
  };
}
