/** How long Redis may take: hundreds of times what it does, and little of what an attempt may. */
const ANSWER_MS_MAX = 250;
/** While Redis is away it is asked so often: soon enough that all processes share one pace again within a second. */
const AWAY_MS = 500;
/** A Redis that is away says the same twice a second. */
const ERRORS_EVERY_MS = 60_000;

/** Ordinary messages reserve five slots ahead, or 50 ms where that is more: an urgent one waits for no more than these. */
const ORDINARY_SLOTS_AHEAD = 5;
const ORDINARY_AHEAD_MS_MIN = 50;
/** 1 s: so many urgent ones may stand in line before theirs, too, wait in their processes. */
export const URGENT_AHEAD_MS = 1_000;

/** At least 20 ms, else a twentieth: two messages to a chat leave two processes with some jitter, and must not meet. */
const CHAT_MARGIN_MS_MIN = 20;
const CHAT_MARGIN_SHARE = 0.05;
/** A group (its id is negative) takes 20 messages a minute, where a person takes 60. */
const GROUP_GAP_FACTOR = 3;

export interface Pace {
  readonly messagesPerSecond: number;
  readonly chatGapMs: number;
}

export interface SlotWish {
  readonly chatId: string;
  readonly urgent: boolean;
  /** Of a slot that this message had and could not use: it is given back, and what it had reserved of the chat with it. */
  readonly mark?: string | undefined;
  /** How long it has been in line: slots that went by meanwhile were lost to whoever could not use them. */
  readonly waitedMs: number;
}

export type SlotAnswer =
  | { readonly kind: 'slot'; readonly waitMs: number; readonly mark: string }
  /** The chat is not free at the bot's next slot, which stays free for others. */
  | { readonly kind: 'chat-busy'; readonly retryAfterMs: number }
  /** As far ahead as these may reserve, everything is reserved. The wishes after it were not looked at. */
  | { readonly kind: 'full'; readonly retryAfterMs: number };

export interface LedgerAnswer {
  /** More than 0 after a 429: then nothing was reserved. */
  readonly frozenMs: number;
  readonly answers: readonly SlotAnswer[];
}

/** Which slots of a bot are taken. */
export interface SlotLedger {
  /** The bot's slots, one after the other. */
  readonly intervalMs: number;
  /** Urgent wishes come first. */
  reserve(wishes: readonly SlotWish[]): Promise<LedgerAnswer>;
  freeze(ms: number): Promise<void>;
  frozenMs(): Promise<number>;
}

/** Between two messages to this chat. */
export function gapMs({ chatGapMs }: Pace, chatId: string): number {
  if (chatGapMs === 0) return 0;
  const gap = chatId.startsWith('-') ? chatGapMs * GROUP_GAP_FACTOR : chatGapMs;
  return gap + Math.max(CHAT_MARGIN_MS_MIN, chatGapMs * CHAT_MARGIN_SHARE);
}

/** How far ahead ordinary messages reserve. */
export const ordinaryAheadMs = ({ messagesPerSecond }: Pace): number =>
  Math.min(
    Math.max((ORDINARY_SLOTS_AHEAD * 1_000) / messagesPerSecond, ORDINARY_AHEAD_MS_MIN),
    URGENT_AHEAD_MS,
  );

export const aheadMs = (pace: Pace, { urgent }: SlotWish): number =>
  urgent ? URGENT_AHEAD_MS : ordinaryAheadMs(pace);

/** Asks `alone` whenever `shared` does not answer, and remembers the freezes that this process has met. */
export function insuredLedger(
  shared: SlotLedger,
  alone: SlotLedger,
  onError: (error: Error) => void,
): SlotLedger {
  let awayUntilMs = Number.NEGATIVE_INFINITY;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  const away = (error: unknown) => {
    const nowMs = performance.now();
    awayUntilMs = nowMs + AWAY_MS;
    if (nowMs - toldAtMs < ERRORS_EVERY_MS) return;
    toldAtMs = nowMs;
    onError(error instanceof Error ? error : new Error('not an Error was thrown'));
  };
  const ask = async <Answer>(question: (ledger: SlotLedger) => Promise<Answer>): Promise<Answer> => {
    if (performance.now() < awayUntilMs) return question(alone);
    try {
      return await inTime(question(shared));
    } catch (error) {
      away(error);
      return question(alone);
    }
  };
  return {
    intervalMs: shared.intervalMs,
    reserve: async (wishes) => {
      const frozenMs = await alone.frozenMs();
      return frozenMs > 0 ? { frozenMs, answers: [] } : ask((ledger) => ledger.reserve(wishes));
    },
    freeze: async (ms) => {
      await alone.freeze(ms);
      await ask((ledger) => ledger.freeze(ms));
    },
    frozenMs: async () => Math.max(await alone.frozenMs(), await ask((ledger) => ledger.frozenMs())),
  };
}

/** Rejects when the answer is late. A process that stood still for so long reads its sockets first: Redis was not to blame. */
async function inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => setImmediate(() => late.reject(new Error('Redis is late'))), ANSWER_MS_MAX);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
