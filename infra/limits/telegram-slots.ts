import type { Redis } from 'ioredis';
import { insuredLedger, type SlotLedger } from './slot-ledger.ts';
import { localLedger } from './slot-ledger-local.ts';
import { redisLedger } from './slot-ledger-redis.ts';
import { SlotQueue } from './slot-queue.ts';

/** 29 of the 30 a second that Telegram grants a bot: what is left bears 20 ms of jitter between a slot and its message. */
export const MESSAGES_PER_SECOND = 29;
/** One message a second to one chat. */
export const CHAT_GAP_MS = 1_000;
/** A quarter of the pace while Redis does not answer: each process then keeps time alone, and four of them are many. */
const SHARE_ALONE = 0.25;

/** 12 ms: a message that would leave later gives its slot back and takes a new one, since late ones bunch up with those after them. */
const LATE_MS_MAX = 12;
/** Who is late five times in a row is slow, and too slow to send too fast. */
const TRIES_MAX = 5;
/** A slot that is due is used without a second look: the freeze was looked at when it was given. */
const DUE_MS = 1;

/** May the message leave now, or when is it worth asking again? */
export type Turn = { readonly kind: 'now' } | { readonly kind: 'later'; readonly retryAfterMs: number };

/** Turns to send, given to all processes of one bot, so that Telegram's pace holds over all of them. */
export interface TelegramSlots {
  /**
   * Waits for the bot's next free slot at which the chat is free too, some seconds at the most. `later`: the chat or the
   * bot is not free soon, or `signal` has aborted; then nothing is held. Urgent messages pass the others: those never
   * reserve more than a few slots ahead.
   */
  turn(chat: { readonly chatId: string; readonly urgent: boolean }, signal: AbortSignal): Promise<Turn>;
  /** Telegram has answered 429: nobody sends for so long, in no process. */
  freeze(retryAfterMs: number): Promise<void>;
}

export interface TelegramSlotsOptions {
  /** Names the bot; only a hash of it leaves the process. */
  readonly token: string;
  /**
   * Should refuse at once while it is not connected (`enableOfflineQueue: false`). Without one this process keeps time
   * alone, at the whole pace: for a tool that is the bot's only process.
   */
  readonly redis?: Redis | undefined;
  readonly messagesPerSecond?: number | undefined;
  readonly chatGapMs?: number | undefined;
  /** Why Redis could not be asked; told once a minute at the most. */
  readonly onError?: ((error: Error) => void) | undefined;
}

/** The slots' clock is Redis' own; each process queues its messages and asks for them in batches. */
export function telegramSlots(options: TelegramSlotsOptions): TelegramSlots {
  const ledger = ledgerOf(options);
  const queue = new SlotQueue(ledger);
  return {
    async turn({ chatId, urgent }, signal) {
      const since = performance.now();
      let mark: string | undefined;
      for (let tries = 1; ; tries++) {
        const answer = await queue.wait({ chatId, urgent, mark, since }, signal);
        if (answer.kind === 'later') return { kind: 'later', retryAfterMs: answer.retryAfterMs };
        const frozenMs = answer.dueInMs < DUE_MS ? 0 : await frozenAtDue(ledger, answer.dueInMs, signal);
        if (signal.aborted) return { kind: 'later', retryAfterMs: 0 };
        const isLate = performance.now() - answer.slotAt > LATE_MS_MAX;
        if (frozenMs === 0 && (!isLate || tries >= TRIES_MAX)) return { kind: 'now' };
        if (tries >= TRIES_MAX) return { kind: 'later', retryAfterMs: frozenMs };
        mark = answer.mark;
      }
    },
    freeze: (retryAfterMs) => ledger.freeze(retryAfterMs),
  };
}

/** Waits for the slot, and looks whether the bot was frozen meanwhile. */
async function frozenAtDue(ledger: SlotLedger, dueInMs: number, signal: AbortSignal): Promise<number> {
  await sleep(dueInMs, signal);
  return signal.aborted ? 0 : ledger.frozenMs();
}

function ledgerOf(options: TelegramSlotsOptions): SlotLedger {
  const { redis, token, onError = () => undefined } = options;
  const { messagesPerSecond = MESSAGES_PER_SECOND, chatGapMs = CHAT_GAP_MS } = options;
  if (!redis) return localLedger({ messagesPerSecond, chatGapMs });
  const alone = localLedger({ messagesPerSecond: messagesPerSecond * SHARE_ALONE, chatGapMs });
  return insuredLedger(redisLedger(redis, token, { messagesPerSecond, chatGapMs }), alone, onError);
}

/** Ends early when the signal aborts. Whole milliseconds, rounded up: a timer drops the fraction and would fire early. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.ceil(ms));
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
