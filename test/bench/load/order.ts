import { z } from 'zod';

/** What the load generator is told, on one line of its standard input. */
export const LoadOrder = z.object({
  port: z.int(),
  keys: z.array(z.string()).min(1),
  connections: z.int().min(1),
  /** Requests a second, sent when they are due whatever became of those before; null: each connection sends as soon as it is answered. */
  rate: z.number().nullable(),
  /** Sent and counted, but not measured. */
  warmupSeconds: z.number(),
  seconds: z.number(),
  /** Each request takes the next number, and makes its idempotency key of it. */
  firstNumber: z.int(),
  /** Tells when each request was due and answered. */
  trace: z.boolean(),
});
export type LoadOrder = z.infer<typeof LoadOrder>;

/** What it says at the end, on one line of standard output. */
export const LoadReport = z.object({
  bench: z.literal('load'),
  nextNumber: z.int(),
  /** Answers by status, the warm-up's too. */
  statuses: z.record(z.string(), z.int()),
  /** Answered 202 within the measured time, a second. */
  perSecond: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  /** Number, when it was due, when it was answered: milliseconds of the epoch. */
  traces: z.array(z.tuple([z.int(), z.number(), z.number()])),
});
export type LoadReport = z.infer<typeof LoadReport>;
