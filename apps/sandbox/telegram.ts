import { type Incoming, readFields, type Reply } from './http.ts';
import type { Message } from './message.ts';
import { type BotSnapshot, TelegramBot } from './telegram-bot.ts';
import { TELEGRAM_METHODS, type TelegramMethod } from './telegram-methods.ts';
import { badRequest, refused, telegramDialect, tooMany } from './telegram-reply.ts';
import { type PaceOrder, SendingPace } from './telegram-pace.ts';
import { pumpWebhook } from './telegram-updates.ts';
import { underFault } from './under-fault.ts';
import type { World } from './world.ts';

export const TELEGRAM_PATH = '/bot';
/** Telegram's own tokens have 35 characters after the colon; shorter ones are taken, for tests. */
const TOKEN_PATH = /^\/bot(\d{1,16}):([A-Za-z0-9_-]{1,64})\/(?:test\/)?([A-Za-z]+)$/;
/** 1 000 bots: a sandbox has one or two. */
const BOTS_MAX = 1_000;

/** The Bot API: any number of bots, each known by the digits of its token. */
export class Telegram {
  readonly #world: World;
  readonly #bots = new Map<number, TelegramBot>();
  readonly pace: SendingPace;

  constructor(world: World, snapshots: readonly BotSnapshot[], pace?: PaceOrder) {
    this.#world = world;
    this.pace = new SendingPace(world.clock, pace);
    for (const snapshot of snapshots) pumpWebhook(this.#open(snapshot), world);
  }

  async answer(incoming: Incoming): Promise<Reply> {
    const { trace } = incoming;
    trace.channel = 'telegram';
    const [, id, secret, name] = TOKEN_PATH.exec(incoming.path) ?? [];
    if (id === undefined || secret === undefined || name === undefined) return malformed(incoming.path);
    const expected = this.#world.credentials.telegramBotToken;
    if (expected !== undefined && expected !== `${id}:${secret}`) return refused(401, 'Unauthorized');
    trace.method = name;
    const method = TELEGRAM_METHODS[name.toLowerCase()];
    if (!method) return refused(404, 'Not Found: method not found');
    const fields = await readFields(incoming);
    if (!fields) return badRequest("can't parse request body");
    const bot = this.bot(Number(id));
    return bot ? this.#run(method, bot, fields, incoming) : refused(401, 'Unauthorized');
  }

  /** The bot with this id, opened when it is first seen; undefined when there are too many. */
  bot(id: number): TelegramBot | undefined {
    const known = this.#bots.get(id);
    if (known || this.#bots.size >= BOTS_MAX) return known;
    // A first update id is any positive number; the clock's seconds rise from one empty directory to the next.
    const nextUpdateId = Math.floor(this.#world.clock().getTime() / 1000);
    return this.#open({ id, nextUpdateId, updates: [], chats: [], commands: [] });
  }

  /** The bot that people meet when they name none: the one seen first, or else the one whose token is ours, before it has called. */
  firstBot(): TelegramBot | undefined {
    for (const bot of this.#bots.values()) return bot;
    const id = this.#world.credentials.telegramBotToken?.split(':')[0];
    return id === undefined ? undefined : this.bot(Number(id));
  }

  snapshots(): BotSnapshot[] {
    return [...this.#bots.values()].map((bot) => bot.snapshot());
  }

  #run(
    method: TelegramMethod,
    bot: TelegramBot,
    fields: Record<string, unknown>,
    incoming: Incoming,
  ): Promise<Reply> {
    const { trace } = incoming;
    const to =
      typeof fields['chat_id'] === 'string' || typeof fields['chat_id'] === 'number'
        ? String(fields['chat_id'])
        : '';
    if (to !== '') trace.to = to;
    const world = this.#world;
    const call = { channel: 'telegram', to, method: trace.method ?? '', sends: method.sends } as const;
    const wait = method.sends ? this.pace.reserve(bot.id, to) : undefined;
    if (wait !== undefined) {
      trace.fault = 'pace';
      return Promise.resolve(tooMany(wait));
    }
    if (!method.sends) world.changed();
    return underFault(
      world.faults.take(call),
      { dialect: telegramDialect, timers: world.timers, trace },
      (faultOutcome) => method.run({ bot, fields, incoming, world, faultOutcome }),
    );
  }

  #open(snapshot: BotSnapshot): TelegramBot {
    const { inbox } = this.#world;
    const bot = new TelegramBot(snapshot, lastMessageId(inbox.list({ channel: 'telegram' }), snapshot.id));
    this.#bots.set(bot.id, bot);
    return bot;
  }
}

function lastMessageId(messages: readonly Message[], botId: number): number {
  return messages
    .filter(({ from }) => from === String(botId))
    .reduce((last, { provider_reference }) => Math.max(last, Number(provider_reference)), 0);
}

function malformed(path: string): Reply {
  return /^\/bot[^/]*\/[A-Za-z]+$/.test(path)
    ? refused(401, 'Unauthorized: invalid token specified')
    : refused(404, 'Not Found');
}
