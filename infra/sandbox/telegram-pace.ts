/** Telegram's limits: about 30 messages a second for a bot, one a second to a chat. */
const BOT_MESSAGES_PER_SECOND = 30;
const CHAT_PAUSE_MS = 1_000;
/** 100 000 chats are remembered, 33 times what a bot may write to in a second times a hundred; then all are forgotten. */
const CHATS_MAX = 100_000;

/** Enforces the pace at which a bot may send, when that is asked for. */
export class SendingPace {
  readonly #clock: () => Date;
  readonly #bots = new Map<number, { second: number; sent: number }>();
  readonly #chats = new Map<string, number>();

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /** Undefined when the message may go out now, else the whole seconds to wait. */
  reserve(botId: number, chatId: string): number | undefined {
    const nowMs = this.#clock().getTime();
    const chat = `${botId} ${chatId}`;
    const chatFreeAtMs = (this.#chats.get(chat) ?? -Infinity) + CHAT_PAUSE_MS;
    if (nowMs < chatFreeAtMs) return Math.ceil((chatFreeAtMs - nowMs) / 1000);
    const second = Math.floor(nowMs / 1000);
    const bot = this.#bots.get(botId);
    const sent = bot?.second === second ? bot.sent : 0;
    if (sent >= BOT_MESSAGES_PER_SECOND) return 1;
    this.#bots.set(botId, { second, sent: sent + 1 });
    if (this.#chats.size >= CHATS_MAX) this.#chats.clear();
    this.#chats.set(chat, nowMs);
    return undefined;
  }
}
