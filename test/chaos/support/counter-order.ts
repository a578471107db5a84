import { z } from 'zod';

/** What a counting process is told to do. */
export const CounterOrder = z.object({
  id: z.number(),
  subject: z.string(),
  limit: z.number(),
  times: z.number(),
  failsClosed: z.boolean(),
  /** Its event loop stands still for so long while the counts are on their way. */
  blockMs: z.number(),
});
export type CounterOrder = z.infer<typeof CounterOrder>;

export const CounterReport = z.object({
  id: z.number(),
  allowed: z.number(),
  refused: z.number(),
  unavailable: z.number(),
  /** The highest place that it was told of. */
  taken: z.number(),
  state: z.enum(['shared', 'local']),
});
export type CounterReport = z.infer<typeof CounterReport>;
