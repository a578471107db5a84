import type { Destinations } from '../../domain/identity/person/port.ts';
import type { PhoneCodes } from '../../domain/identity/port.ts';
import type { Platform } from '../../infra/process/platform.ts';
import type { ProcessConfig } from '../../infra/process/variables.ts';

export type BotPlatform = Platform<ProcessConfig<'bot'>>;

/** Codes by which the bot has a chat proven. */
export interface BotCodes {
  readonly codes: PhoneCodes;
  readonly destinations: Destinations;
  readonly close: () => Promise<void>;
}
