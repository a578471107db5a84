import type { LedgerAnswer, SlotAnswer, SlotLedger, SlotWish } from './slot-ledger.ts';

/** What one call to the ledger asks for: twice as many as become free between two calls at ten times Telegram's pace. */
const BATCH_MAX = 32;
/** 20 ms, well within what ordinary messages reserve ahead: at no pace is Redis asked more often for the same line. */
const LOOK_MS_MIN = 20;
/** 1.5 s: a chat's gap, and some. Whoever would wait longer for its chat, or for the end of a freeze, comes back later. */
const NEAR_MS = 1_500;
/** 5 s in line, half of what an attempt may take. */
const LINE_MS_MAX = 5_000;
/** 1 000 in line: more than any queue has in hand. */
const LINE_MAX = 1_000;
/** Who finds the line too long comes back when it will have moved on, within these. */
const AGAIN_MS_MIN = 1_000;
const AGAIN_MS_MAX = 30_000;

export interface GrantedSlot {
  readonly kind: 'slot';
  /** From now. */
  readonly dueInMs: number;
  /** The earliest moment that the slot may stand for, on `performance.now()`: what passes since counts as late. */
  readonly slotAt: number;
  readonly mark: string;
}
/** `since`, on `performance.now()`: when its message first asked for a turn. */
type LineWish = Omit<SlotWish, 'waitedMs'> & { readonly since: number };
type QueueAnswer = GrantedSlot | { readonly kind: 'later'; readonly retryAfterMs: number };

/** Where the messages of this process wait in line: urgent ones first, and in one line first come, first served. */
export class SlotQueue {
  readonly #ledger: SlotLedger;
  readonly #urgent = new Set<Waiter>();
  readonly #ordinary = new Set<Waiter>();
  readonly #nap = new Nap();
  #isAsking = false;

  constructor(ledger: SlotLedger) {
    this.#ledger = ledger;
  }

  /** Waits in line, some seconds at the most; `signal` ends it. */
  wait(wish: LineWish, signal: AbortSignal): Promise<QueueAnswer> {
    if (signal.aborted) return Promise.resolve(later(0));
    if (this.#urgent.size + this.#ordinary.size >= LINE_MAX) return Promise.resolve(later(this.#againMs()));
    const { promise, resolve } = Promise.withResolvers<QueueAnswer>();
    const waiter: Waiter = { wish, isSettled: false, inLineSince: wish.since, settle: resolve };
    const leave = () => this.#settle(waiter, later(0));
    const timer = setTimeout(() => this.#settle(waiter, later(this.#againMs())), LINE_MS_MAX);
    signal.addEventListener('abort', leave);
    this.#enter(waiter);
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
    });
  }

  #enter(waiter: Waiter): void {
    if (waiter.isSettled) return;
    this.#lineOf(waiter).add(waiter);
    if (!this.#isAsking) void this.#askAll();
    // An ordinary one gains nothing by it: what holds up the line holds it up too.
    else if (waiter.wish.urgent) this.#nap.end();
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    try {
      for (;;) {
        const batch = [...this.#urgent, ...this.#ordinary].slice(0, BATCH_MAX);
        if (batch.length === 0) return;
        const askedAt = performance.now();
        const wishes = batch.map(({ wish, inLineSince }) => ({ ...wish, waitedMs: askedAt - inLineSince }));
        const answer = await this.#ledger.reserve(wishes);
        const pauseMs = this.#tell(batch, answer, askedAt);
        if (pauseMs > 0) await this.#nap.start(Math.max(LOOK_MS_MIN, pauseMs));
      }
    } finally {
      this.#isAsking = false;
    }
  }

  /** @returns for how long nobody needs to ask again. */
  #tell(batch: readonly Waiter[], { frozenMs, answers }: LedgerAnswer, askedAt: number): number {
    if (frozenMs > NEAR_MS)
      for (const waiter of [...this.#urgent, ...this.#ordinary]) this.#settle(waiter, later(frozenMs));
    answers.forEach((answer, index) => {
      const waiter = batch[index];
      if (waiter && !waiter.isSettled) this.#tellOne(waiter, answer, askedAt);
    });
    const last = answers.at(-1);
    return last?.kind === 'full' ? last.retryAfterMs : frozenMs;
  }

  #tellOne(waiter: Waiter, answer: SlotAnswer, askedAt: number): void {
    switch (answer.kind) {
      case 'full':
        return;
      case 'slot': {
        const { waitMs: dueInMs, mark } = answer;
        return this.#settle(waiter, { kind: 'slot', dueInMs, slotAt: askedAt + dueInMs, mark });
      }
      case 'chat-busy':
        if (answer.retryAfterMs > NEAR_MS) return this.#settle(waiter, later(answer.retryAfterMs));
        // Out of line meanwhile: those behind it have other chats.
        this.#lineOf(waiter).delete(waiter);
        setTimeout(() => {
          waiter.inLineSince = performance.now();
          this.#enter(waiter);
        }, Math.ceil(answer.retryAfterMs));
    }
  }

  #settle(waiter: Waiter, answer: QueueAnswer): void {
    waiter.isSettled = true;
    this.#lineOf(waiter).delete(waiter);
    waiter.settle(answer);
  }

  #lineOf({ wish }: Waiter): Set<Waiter> {
    return wish.urgent ? this.#urgent : this.#ordinary;
  }

  #againMs(): number {
    const lineMs = (this.#urgent.size + this.#ordinary.size) * this.#ledger.intervalMs;
    return Math.min(Math.max(lineMs, AGAIN_MS_MIN), AGAIN_MS_MAX);
  }
}

interface Waiter {
  readonly wish: LineWish;
  readonly settle: (answer: QueueAnswer) => void;
  isSettled: boolean;
  /** What it waited for its chat is not the line's fault. */
  inLineSince: number;
}

const later = (retryAfterMs: number): QueueAnswer => ({ kind: 'later', retryAfterMs });

/** A pause that can be cut short. */
class Nap {
  end: () => void = () => undefined;

  start(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.ceil(ms));
      this.end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
