import type { Destinations } from '../../domain/identity/person/port.ts';
import type { PhoneCodes } from '../../domain/identity/port.ts';
import { isOn, type Owner, type Products } from '../../domain/products.ts';
import type { Platform } from '../../infra/process/platform.ts';
import type { ProcessConfig } from '../../infra/process/variables.ts';
import { wireCodes } from './verify/wire.ts';

export type BotPlatform = Platform<ProcessConfig<'bot'>>;

/** Codes by which the bot has a chat proven. */
export interface BotCodes {
  readonly codes: PhoneCodes;
  readonly destinations: Destinations;
  readonly close: () => Promise<void>;
}

interface Module {
  readonly owner: Owner;
  readonly wire: (platform: BotPlatform) => BotCodes;
}

/** The product that sends codes; the bot registers nobody without it. */
const modules: readonly Module[] = [{ owner: 'verify', wire: wireCodes }];

/** Null where it is off. */
export const wireModules = (platform: BotPlatform, on: Products): BotCodes | null =>
  modules.find(({ owner }) => isOn(on, owner))?.wire(platform) ?? null;
