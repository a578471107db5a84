import { z } from 'zod';

/**
 * `draft`: lines come and go. `submitted`: frozen, with a hash. `approved`: by as many people as its total needs. `running` and
 * `paused`. `done`: every item has its end. `closed`: by a person, and nothing of it changes any more.
 */
export const BatchState = z.enum(['draft', 'submitted', 'approved', 'running', 'paused', 'done', 'closed']);
export type BatchState = z.infer<typeof BatchState>;

/** `ready`: waits for its dispatch. `dropped`: taken out before it was paid; its payout can be added again. */
export const ItemState = z.enum(['ready', 'dispatched', 'paid', 'failed', 'returned', 'dropped']);
export type ItemState = z.infer<typeof ItemState>;
