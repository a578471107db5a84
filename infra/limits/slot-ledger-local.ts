import { aheadMs, gapMs, type Pace, type SlotAnswer, type SlotLedger, type SlotWish } from './slot-ledger.ts';

/** 10 000 chats are remembered, more than any process writes to within a gap. */
const CHATS_MAX = 10_000;

/** The slots of one process that keeps time alone, by the same rules as the script in Redis. */
export function localLedger(pace: Pace): SlotLedger {
  const intervalMs = 1_000 / pace.messagesPerSecond;
  const chatFreeAt = new Map<string, number>();
  let nextAt = 0;
  let frozenUntil = 0;
  const frozenMs = () => Math.max(0, frozenUntil - performance.now());

  const reserve = (wish: SlotWish, now: number): SlotAnswer => {
    nextAt = Math.max(nextAt, now);
    const overMs = nextAt - now - aheadMs(pace, wish);
    if (overMs > 0) return { kind: 'full', retryAfterMs: overMs };
    const freeAt = chatFreeAt.get(wish.chatId) ?? 0;
    if (freeAt > nextAt && String(freeAt) !== wish.mark)
      return { kind: 'chat-busy', retryAfterMs: freeAt - now };
    const slot = nextAt;
    nextAt += intervalMs;
    const nextFreeAt = slot + gapMs(pace, wish.chatId);
    remember(chatFreeAt, wish.chatId, nextFreeAt, now);
    return { kind: 'slot', waitMs: slot - now, mark: String(nextFreeAt) };
  };

  return {
    intervalMs,
    reserve: async (wishes) => {
      if (frozenMs() > 0) return { frozenMs: frozenMs(), answers: [] };
      const answers: SlotAnswer[] = [];
      for (const wish of wishes) {
        answers.push(reserve(wish, performance.now()));
        if (answers.at(-1)?.kind === 'full') break;
      }
      return { frozenMs: 0, answers };
    },
    freeze: async (ms) => {
      frozenUntil = Math.max(frozenUntil, performance.now() + ms);
    },
    frozenMs: async () => frozenMs(),
  };
}

function remember(chats: Map<string, number>, chatId: string, freeAt: number, now: number): void {
  if (chats.size >= CHATS_MAX) for (const [id, at] of chats) if (at <= now) chats.delete(id);
  if (chats.size >= CHATS_MAX) chats.clear();
  chats.set(chatId, freeAt);
}
