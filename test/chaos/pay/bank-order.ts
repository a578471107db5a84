import { z } from 'zod';

/** What a writer is told, as its one argument. */
export const BankOrder = z.object({
  url: z.string(),
  book: z.string(),
  /** Its keys begin with it. */
  name: z.string(),
  people: z.array(z.object({ available: z.string(), held: z.string() })),
  adjustment: z.string(),
});
export type BankOrder = z.infer<typeof BankOrder>;
