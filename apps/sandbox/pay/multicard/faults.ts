import { z } from 'zod';
import { randomFrom } from '../../random.ts';

/** 2 min: longer than any client here waits. */
const HANG_MS_MAX = 120_000;
/** A day: a return that is later is ordered when it is time. */
const AFTER_MS_MAX = 86_400_000;
const ORDERS_MAX = 1_000;
const BODY_CHARS_MAX = 4_096;

export const STAGES = ['auth', 'draft', 'confirm', 'read', 'history', 'wallet', 'bind'] as const;
export type Stage = (typeof STAGES)[number];

const target = {
  /** Which call it strikes. */
  on: z.enum(STAGES).default('confirm'),
  /** A card by its token, its last four digits or its holder's phone; `*` is each. */
  card: z.string().min(1).max(255).default('*'),
  /** The share of the calls that it strikes. */
  rate: z.number().min(0).max(1).default(1),
  /** The first so many calls; without it, until taken back. */
  times: z.int().min(1).max(1_000_000).optional(),
  /** Waited before anything else. */
  delay_ms: z.int().min(0).max(HANG_MS_MAX).default(0),
};
const hang = { hang_ms: z.int().min(0).max(HANG_MS_MAX).default(HANG_MS_MAX) };
const later = { after_ms: z.int().min(0).max(AFTER_MS_MAX).default(1_000) };
const status = z.int().min(500).max(599).default(500);

/** One order: what it strikes, how often, and what happens then. `-after` means: it was done all the same. */
export const FaultOrder = z.discriminatedUnion('effect', [
  /** As ever, `delay_ms` later. */
  z.strictObject({ ...target, effect: z.literal('slow') }),
  z.strictObject({
    ...target,
    effect: z.literal('decline'),
    because: z.enum(['card', 'fields', 'limit']).default('card'),
  }),
  /** No answer; the connection is cut after `hang_ms`, 0 is at once. */
  z.strictObject({ ...target, ...hang, effect: z.literal('hang-before') }),
  z.strictObject({ ...target, ...hang, effect: z.literal('hang-after') }),
  z.strictObject({ ...target, effect: z.literal('error-before'), status }),
  z.strictObject({ ...target, effect: z.literal('error-after'), status }),
  /** A page in place of an answer, by status 200. */
  z.strictObject({
    ...target,
    effect: z.literal('garbage-before'),
    body: z.string().max(BODY_CHARS_MAX).default('<html>'),
  }),
  z.strictObject({
    ...target,
    effect: z.literal('garbage-after'),
    body: z.string().max(BODY_CHARS_MAX).default('<html>'),
  }),
  /** `ERROR_UNKNOWN`. Of a confirmation: what becomes of the payment. */
  z.strictObject({
    ...target,
    ...later,
    effect: z.literal('unknown'),
    becomes: z.enum(['success', 'error', 'draft']).default('success'),
  }),
  /** Of a confirmation: answered `progress`, and later something else. */
  z.strictObject({
    ...target,
    ...later,
    effect: z.literal('progress'),
    becomes: z.enum(['success', 'error']).default('success'),
  }),
  /** Of a confirmation: answered `error`, for good. */
  z.strictObject({ ...target, effect: z.literal('fails') }),
  /** Of a confirmation: paid, and taken back later. */
  z.strictObject({ ...target, ...later, effect: z.literal('revert') }),
  /** Of a draft: paid in that very call, though `confirmable` was true. */
  z.strictObject({ ...target, effect: z.literal('pays-at-once') }),
  z.strictObject({ ...target, effect: z.literal('wallet-empty') }),
  z.strictObject({ ...target, effect: z.literal('not-ready') }),
  z.strictObject({
    ...target,
    effect: z.literal('rate-limit'),
    retry_after_seconds: z.int().min(1).max(3_600).default(1),
  }),
  z.strictObject({ ...target, effect: z.literal('denied') }),
  /** 401: our token is not known any more. */
  z.strictObject({ ...target, effect: z.literal('expired-token') }),
  /** Of a confirmation: how its webhooks come. */
  z.strictObject({
    ...target,
    effect: z.literal('webhooks'),
    /** Each so often; 0 is never. */
    repeats: z.int().min(0).max(10).default(1),
    /** `success` first, then the `progress` that was before it. */
    reversed: z.boolean().default(false),
    /** Before the answer to the call. */
    early: z.boolean().default(false),
    forged: z.boolean().default(false),
  }),
]);
export type FaultOrder = z.infer<typeof FaultOrder>;
export type FaultRequest = z.input<typeof FaultOrder>;
/** One order, or several: what comes first strikes first. */
export const FaultOrders = z.preprocess(
  (body) => (Array.isArray(body) ? body : [body]),
  z.array(FaultOrder).max(ORDERS_MAX),
);

/** An order in force, by its place in the list. */
export type Struck = FaultOrder & { readonly index: number };
/** How a card may be named in an order. */
export type CardNames = readonly string[];

/** The orders in force. */
export class Faults {
  #orders: readonly FaultOrder[] = [];
  #hits: number[] = [];
  #random = randomFrom(1);

  order(orders: readonly FaultOrder[]): void {
    this.#orders = orders;
    this.#hits = orders.map(() => 0);
  }

  /** A restart: this order had struck once more. */
  replayHit(index: number): void {
    this.#hits[index] = (this.#hits[index] ?? 0) + 1;
  }

  seed(seed: number): void {
    this.#random = randomFrom(seed);
  }

  /** The first that strikes this call, one of its `times` used up. */
  take(stage: Stage, card: CardNames = []): Struck | undefined {
    const index = this.#orders.findIndex(
      (order, at) =>
        order.on === stage &&
        (order.card === '*' || card.includes(order.card)) &&
        (this.#hits[at] ?? 0) < (order.times ?? Infinity) &&
        (order.rate === 1 || this.#random() < order.rate),
    );
    const order = this.#orders[index];
    if (!order) return undefined;
    this.replayHit(index);
    return { ...order, index };
  }

  list(): (FaultOrder & { readonly hits: number })[] {
    return this.#orders.map((order, at) => ({ ...order, hits: this.#hits[at] ?? 0 }));
  }
}
