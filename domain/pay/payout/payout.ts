import { z } from 'zod';

/**
 * `confirming`: the person's device is asked. `awaiting-card`: the payee has a link, and no card yet. `pending`: finance may pay it.
 * `batched`: it stands in a batch. `paid`, `failed`, `returned` and `cancelled` are ends; only `paid` has one more: `returned`, when
 * the rail takes the money back. From the first to `batched` its gross is held.
 */
export const PayoutState = z.enum([
  'confirming',
  'awaiting-card',
  'pending',
  'batched',
  'paid',
  'failed',
  'returned',
  'cancelled',
]);
export type PayoutState = z.infer<typeof PayoutState>;

/** A person's own balance; a file of finance's; a customer's secret key. */
export const PayoutSource = z.enum(['withdrawal', 'list', 'api']);
export type PayoutSource = z.infer<typeof PayoutSource>;
