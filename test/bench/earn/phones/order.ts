import { z } from 'zod';

/** What the phones are told, on one line of their standard input. */
export const PhonesOrder = z.object({
  port: z.int(),
  /** Each with the number of its next report. */
  sessions: z.array(z.object({ id: z.uuid(), token: z.string(), next: z.int() })).min(1),
  connections: z.int().min(1),
  /** Reports of a request. */
  size: z.int().min(1).max(1_000),
  /** Requests a second; null: each connection sends as soon as it is answered. */
  rate: z.number().nullable(),
  warmupSeconds: z.number(),
  seconds: z.number(),
});
export type PhonesOrder = z.infer<typeof PhonesOrder>;

export const PhonesReport = z.object({
  bench: z.literal('phones'),
  /** Answers by status, the warm-up's too. */
  statuses: z.record(z.string(), z.int()),
  /** Reports that were answered 202 within the measured time, a second. */
  perSecond: z.number(),
  /** All that were, the warm-up's too. */
  reports: z.int(),
  p99Ms: z.number(),
  /** The number of the next report of each session, in their order. */
  next: z.array(z.int()),
});
export type PhonesReport = z.infer<typeof PhonesReport>;
