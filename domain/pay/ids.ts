import { z } from 'zod';

/** Ids of paying. Each is a UUIDv7, which carries its time. */
export const PayoutId = z.uuid().brand<'PayoutId'>();
export type PayoutId = z.infer<typeof PayoutId>;

export const BatchId = z.uuid().brand<'BatchId'>();
export type BatchId = z.infer<typeof BatchId>;

export const DestinationId = z.uuid().brand<'DestinationId'>();
export type DestinationId = z.infer<typeof DestinationId>;

export const PayoutListId = z.uuid().brand<'PayoutListId'>();
export type PayoutListId = z.infer<typeof PayoutListId>;

/** By which money leaves. Each has its wallet and its clearing account in the ledger, under this name. */
export const RailId = z.enum(['multicard', 'bank-file']);
export type RailId = z.infer<typeof RailId>;
