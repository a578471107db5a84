import { z } from 'zod';

/** What the provider says when it is asked: each chat, and the millisecond of the epoch at which its message came in. */
export const Calls = z.object({
  bench: z.literal('calls'),
  calls: z.array(z.tuple([z.string(), z.number()])),
});
export type Calls = z.infer<typeof Calls>;
