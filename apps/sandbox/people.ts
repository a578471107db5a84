import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { plainWords } from '../../domain/shared/schema-words.ts';
import { type Answer, type Fields, type Incoming, json, problem, unfit } from './http.ts';
import { referenceOf } from './inbox.ts';
import type { Telegram } from './telegram.ts';
import { type Chat, privateChat, type TelegramBot } from './telegram-bot.ts';
import { chatOf, messageBody } from './telegram-methods.ts';
import { pumpWebhook } from './telegram-updates.ts';
import type { World } from './world.ts';

/** 1 000 things said by people are remembered for the inbox page; they are no messages of ours and not on disk. */
const SAID_MAX = 1_000;
/** Who writes as the group itself (Bot API, User). */
const ANONYMOUS_ADMIN = {
  id: 1_087_968_824,
  is_bot: true,
  first_name: 'Group',
  username: 'GroupAnonymousBot',
};
const COMMAND = /^\/[A-Za-z0-9_]{1,32}(@\w+)?/;

/** What a person wrote or pressed in a chat. */
export interface Said {
  to: string;
  text: string;
  at: string;
}

const Act = z.object({
  /** The digits of the bot's token; without it, the bot that was seen first. */
  bot: z.coerce.number().int().positive().optional(),
  chat_id: z.coerce.number().int(),
  text: z.string().min(1).max(4096).optional(),
  /** `user_id` is the chat's own unless said otherwise: a contact of somebody else must not be believed. */
  contact: z.object({ phone_number: z.string(), user_id: z.number().int().optional() }).optional(),
  /** A button under a message. */
  callback: z.object({ message_id: z.coerce.number().int(), data: z.string() }).optional(),
  /** Any other update, as the Bot API would give it, without its id: `{ my_chat_member: … }`. */
  update: z.record(z.string(), z.unknown()).optional(),
  language_code: z.string().optional(),
});
type Act = z.infer<typeof Act>;

const Known = z.looseObject({
  bot: z.coerce.number().int().positive().optional(),
  chat_id: z.coerce.number().int(),
  type: z.enum(['private', 'group', 'supergroup', 'channel']).optional(),
  /** The group becomes the supergroup of this id, and both tell the bot so. */
  migrate_to_chat_id: z.coerce.number().int().optional(),
});

/** The fields of the forms on the inbox page. */
const Pressed = z.object({
  bot: z.string().optional(),
  chat_id: z.string(),
  message_id: z.string().optional(),
  act: z.enum(['text', 'contact', 'callback']),
  value: z.string(),
});

/** People at the other end of Telegram: what they do reaches the bot as an update. */
export class People {
  readonly #world: World;
  readonly #telegram: Telegram;
  #said: Said[] = [];

  constructor(world: World, telegram: Telegram) {
    this.#world = world;
    this.#telegram = telegram;
  }

  said(to: string): Said[] {
    return this.#said.filter((one) => one.to === to);
  }

  /** `POST /telegram/updates`: a person writes, shares a contact or presses a button. */
  act(fields: unknown): Answer {
    const act = Act.safeParse(fields, { error: plainWords });
    if (!act.success) return unfit(act.error);
    const bot = this.#botOf(act.data.bot);
    if (!bot) return problem('No bot is known yet: name one with "bot", or let it call getMe first.', 404);
    const chat = chatOf(bot, String(act.data.chat_id));
    if (!chat) return problem('This chat is not known: PUT /telegram/chats first.', 404);
    const update = this.#updateOf(act.data, bot, chat);
    if (!update)
      return problem(
        'One of text, contact, callback and update is needed; a callback names a message of this chat.',
      );
    const pushed = bot.push(...update);
    this.#world.changed();
    pumpWebhook(bot, this.#world);
    return json(201, { update_id: pushed?.update_id ?? null });
  }

  /** `PUT /telegram/chats`: makes a chat known, such as a group, or names a person. */
  know(fields: unknown): Answer {
    const known = Known.safeParse(fields, { error: plainWords });
    if (!known.success) return unfit(known.error);
    const { bot: botId, chat_id, type = chat_id > 0 ? 'private' : 'group', ...rest } = known.data;
    const bot = this.#botOf(botId);
    if (!bot) return problem('No bot is known yet: name one with "bot", or let it call getMe first.', 404);
    const chat: Chat = { ...(type === 'private' ? privateChat(chat_id) : {}), ...rest, id: chat_id, type };
    bot.chats.set(chat_id, chat);
    if (known.data.migrate_to_chat_id !== undefined) this.#migrate(bot, chat, known.data.migrate_to_chat_id);
    this.#world.changed();
    pumpWebhook(bot, this.#world);
    return json(200, chat);
  }

  /** Two service messages, as Telegram sends them: one in each of the chats. */
  #migrate(bot: TelegramBot, group: Chat, id: number): void {
    const { migrate_to_chat_id: _moved, ...rest } = group;
    const supergroup: Chat = { ...rest, id, type: 'supergroup' };
    bot.chats.set(id, supergroup);
    const date = Math.floor(this.#world.clock().getTime() / 1000);
    const message = { from: ANONYMOUS_ADMIN, date };
    bot.push('message', { ...message, message_id: bot.nextMessageId(), chat: group, migrate_to_chat_id: id });
    bot.push('message', {
      ...message,
      message_id: bot.nextMessageId(),
      chat: supergroup,
      migrate_from_chat_id: group.id,
    });
  }

  /** A form of the inbox page: the same acts, then back to the conversation. */
  press({ body }: Incoming): Answer {
    const pressed = Pressed.safeParse(Object.fromEntries(new URLSearchParams(body.toString())), {
      error: plainWords,
    });
    if (!pressed.success) return unfit(pressed.error);
    const { bot, chat_id, message_id, act, value } = pressed.data;
    const acts: Record<typeof act, Fields> = {
      text: { text: value },
      contact: { contact: { phone_number: inventedPhone(chat_id) } },
      callback: { callback: { message_id, data: value } },
    };
    const answer = this.act({ ...(bot === undefined ? {} : { bot }), chat_id, ...acts[act] });
    if (answer.status !== 201) return answer;
    return { status: 303, headers: { location: `/inbox?to=${encodeURIComponent(chat_id)}` }, body: '' };
  }

  #botOf(id: number | undefined): TelegramBot | undefined {
    return id === undefined ? this.#telegram.firstBot() : this.#telegram.bot(id);
  }

  #updateOf(act: Act, bot: TelegramBot, chat: Chat): [kind: string, content: unknown] | undefined {
    const from = {
      ...personOf(chat),
      ...(act.language_code !== undefined && { language_code: act.language_code }),
    };
    if (act.update) return Object.entries(act.update)[0];
    if (act.callback) return this.#callback(act.callback, { bot, chat, from });
    const content = act.contact
      ? contactOf(act.contact, from)
      : act.text === undefined
        ? undefined
        : textOf(act.text);
    if (!content) return undefined;
    this.#remember(String(chat.id), act.text ?? `Contact ${act.contact?.phone_number ?? ''}`);
    const date = Math.floor(this.#world.clock().getTime() / 1000);
    return ['message', { message_id: bot.nextMessageId(), from, chat, date, ...content }];
  }

  #callback(
    { message_id, data }: { message_id: number; data: string },
    { bot, chat, from }: { bot: TelegramBot; chat: Chat; from: Fields },
  ): [string, unknown] | undefined {
    const reference = referenceOf('telegram', String(bot.id), String(message_id));
    const message = this.#world.inbox.byReference('telegram', reference);
    if (!message || message.to !== String(chat.id)) return undefined;
    const id = randomUUID();
    bot.expectAnswer(id);
    this.#remember(message.to, `Pressed: ${data}`);
    return [
      'callback_query',
      { id, from, message: messageBody(bot, chat, message), chat_instance: String(chat.id), data },
    ];
  }

  #remember(to: string, text: string): void {
    this.#said.push({ to, text, at: this.#world.clock().toISOString() });
    if (this.#said.length > SAID_MAX) this.#said = this.#said.slice(-SAID_MAX);
  }
}

function personOf({ type: _type, title: _title, ...person }: Chat): Fields {
  return { ...person, is_bot: false };
}

function textOf(text: string): Fields {
  const command = COMMAND.exec(text)?.[0];
  return {
    text,
    ...(command !== undefined && { entities: [{ type: 'bot_command', offset: 0, length: command.length }] }),
  };
}

function contactOf(
  { phone_number, user_id }: { phone_number: string; user_id?: number | undefined },
  from: Fields,
): Fields {
  return { contact: { phone_number, first_name: from['first_name'], user_id: user_id ?? from['id'] } };
}

/** A person in the sandbox has a number that is told from the chat: 1234567 → +998901234567. */
function inventedPhone(chatId: string): string {
  return `+99890${chatId.replace(/\D/g, '').slice(-7).padStart(7, '0')}`;
}
