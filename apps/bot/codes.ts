import type { Destinations } from '../../domain/identity/person/port.ts';
import type { PhoneCodes } from '../../domain/identity/port.ts';

/** Codes by which the bot has a chat proven. */
export interface BotCodes {
  readonly codes: PhoneCodes;
  readonly destinations: Destinations;
  readonly close: () => Promise<void>;
}
