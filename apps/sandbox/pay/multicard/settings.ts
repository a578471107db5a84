import { z } from 'zod';

/** 1 h: later than anybody here waits. */
const WAIT_MS_MAX = 3_600_000;
const wait = z.int().min(0).max(WAIT_MS_MAX);
const share = z.number().min(0).max(1);

/** How this rail behaves when nothing is ordered to go wrong. */
export const Settings = z.strictObject({
  /** From a request's end to its answer: what is done is done at once, and told then. Not divided. */
  answer_ms: wait.default(0),
  /** All other waits are divided by it: delays, hangs, returns, people. */
  wait_divisor: z.int().min(1).max(1_000_000).default(1),
  /** Its share of each payment, in millionths, on top of the amount. 0.5 %. */
  commission_ppm: z.int().min(0).max(1_000_000).default(5_000),
  /** Each payment wants a one-time password. */
  otp_required: z.boolean().default(false),
  /** The longest page of its history. */
  page_max: z.int().min(1).max(10_000).default(100),
  /** Faults by rate are drawn by it. */
  seed: z.int().default(1),
  /** How many people answer the card form by themselves, each once: `true` is all of them. */
  people: z.union([z.boolean(), z.int().min(0)]).default(false),
  /** How long each takes. */
  people_after_ms: wait.default(500),
  /** Which share of them gives up, or has a card in another name. */
  people_decline_share: share.default(0),
  people_other_name_share: share.default(0),
});
export type Settings = z.infer<typeof Settings>;
