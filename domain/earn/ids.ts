import { z } from 'zod';

/** Of a traffic session. A UUIDv7, which carries its time: reports are kept by it, week by week. */
export const SessionId = z.uuid().brand<'SessionId'>();
export type SessionId = z.infer<typeof SessionId>;

/** Of a price that waits for a second person. */
export const PriceChangeId = z.uuid().brand<'PriceChangeId'>();
export type PriceChangeId = z.infer<typeof PriceChangeId>;
