import { z } from 'zod';
import { randomFrom } from './random.ts';

/** Telegram's limits: about 30 messages a second for a bot, one a second to a chat. */
const BOT_MESSAGES_PER_SECOND = 30;
const CHAT_GAP_MS = 1_000;
const WINDOW_MS = 1_000;
/** 100 000 chats are remembered, 33 times what a bot may write to in a second times a hundred; then all are forgotten. */
const CHATS_MAX = 100_000;
/** 100 ms: what was on its way when the 429 was answered is no disobedience. */
const ON_ITS_WAY_MS = 100;

/** The pace to enforce, as `PUT /telegram/pace` takes it. */
export const PaceOrder = z.strictObject({
  /** In any stretch of one second, not in one by the clock. */
  per_second: z.int().min(1).max(1_000_000).default(BOT_MESSAGES_PER_SECOND),
  chat_gap_ms: z.int().min(0).max(3_600_000).default(CHAT_GAP_MS),
  /** This share of the calls is answered 429 for no reason, as a busy Telegram does. */
  busy_share: z.number().min(0).max(1).default(0),
  /** Whole seconds, as Telegram's. */
  retry_after_seconds: z.int().min(1).max(3_600).default(1),
  /** The same seed draws the same calls. */
  seed: z.int().default(1),
});
export type PaceOrder = z.infer<typeof PaceOrder>;

/** What came of it since the pace was set. */
export interface PaceReport {
  pace: PaceOrder | null;
  accepted: number;
  /** Refused as one too many in a second for the bot. */
  bot_breaches: number;
  /** Refused as too soon after the last one to that chat. */
  chat_breaches: number;
  /** Refused by chance. */
  busy: number;
  /** Refused because the wait of an earlier 429 was not over. */
  early: number;
  /** Of these, the ones that can't have been on their way when it was answered: somebody does not obey. */
  disobeyed: number;
}

interface Bot {
  /** When its messages of the last second came, oldest first. */
  sentAt: number[];
  refusedAt: number;
  closedUntil: number;
}

/** Enforces the pace at which a bot may send, once that is asked for. */
export class SendingPace {
  readonly #clock: () => Date;
  readonly #bots = new Map<number, Bot>();
  readonly #chats = new Map<string, number>();
  #report: PaceReport = freshReport(null);
  #random: () => number = () => 1;

  constructor(clock: () => Date, order?: PaceOrder) {
    this.#clock = clock;
    if (order) this.set(order);
  }

  /** Starts afresh; null ends it. */
  set(order: PaceOrder | null): void {
    this.#bots.clear();
    this.#chats.clear();
    this.#report = freshReport(order);
    this.#random = randomFrom(order?.seed ?? 0);
  }

  report(): PaceReport {
    return { ...this.#report };
  }

  /** Undefined when the message may go out now, else the whole seconds to wait. */
  reserve(botId: number, chatId: string): number | undefined {
    const { pace } = this.#report;
    if (!pace) return undefined;
    const nowMs = this.#clock().getTime();
    const bot = this.#botOf(botId);
    if (nowMs < bot.closedUntil) return this.#refuseEarly(bot, nowMs);
    if (this.#random() < pace.busy_share) {
      this.#report.busy += 1;
      return close(bot, nowMs, pace.retry_after_seconds);
    }
    const chat = `${botId} ${chatId}`;
    const chatFreeAtMs = (this.#chats.get(chat) ?? -Infinity) + pace.chat_gap_ms;
    if (nowMs < chatFreeAtMs) {
      this.#report.chat_breaches += 1;
      return Math.ceil((chatFreeAtMs - nowMs) / 1000);
    }
    bot.sentAt = bot.sentAt.filter((at) => at > nowMs - WINDOW_MS);
    if (bot.sentAt.length >= pace.per_second) {
      this.#report.bot_breaches += 1;
      return close(bot, nowMs, 1);
    }
    bot.sentAt.push(nowMs);
    if (this.#chats.size >= CHATS_MAX) this.#chats.clear();
    this.#chats.set(chat, nowMs);
    this.#report.accepted += 1;
    return undefined;
  }

  #refuseEarly(bot: Bot, nowMs: number): number {
    this.#report.early += 1;
    if (nowMs - bot.refusedAt > ON_ITS_WAY_MS) this.#report.disobeyed += 1;
    return Math.ceil((bot.closedUntil - nowMs) / 1000);
  }

  #botOf(id: number): Bot {
    const known = this.#bots.get(id);
    if (known) return known;
    const bot = { sentAt: [], refusedAt: -Infinity, closedUntil: -Infinity };
    this.#bots.set(id, bot);
    return bot;
  }
}

function close(bot: Bot, nowMs: number, seconds: number): number {
  bot.refusedAt = nowMs;
  bot.closedUntil = nowMs + seconds * 1000;
  return seconds;
}

function freshReport(pace: PaceOrder | null): PaceReport {
  return { pace, accepted: 0, bot_breaches: 0, chat_breaches: 0, busy: 0, early: 0, disobeyed: 0 };
}
