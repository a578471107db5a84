import { z } from 'zod';

export const DeviceId = z.uuid().brand<'DeviceId'>();
export type DeviceId = z.infer<typeof DeviceId>;

/** A phone, a tablet, a computer, an authenticator and a spare: each more is one more to lose, and one more code that a guess may hit. */
export const DEVICES_MAX = 5;
