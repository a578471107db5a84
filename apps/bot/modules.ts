import { isOn, type Owner, type Products } from '../../domain/products.ts';
import type { Platform } from '../../infra/process/platform.ts';
import type { ProcessConfig } from '../../infra/process/variables.ts';
import type { BotCodes } from './codes.ts';
import { wireCodes } from './verify/wire.ts';

type BotPlatform = Platform<ProcessConfig<'bot'>>;

interface Module {
  readonly owner: Owner;
  readonly wire: (platform: BotPlatform) => BotCodes;
}

/** The product that sends codes; the bot registers nobody without it. */
const modules: readonly Module[] = [{ owner: 'verify', wire: wireCodes }];

/** Null where it is off. */
export const wireModules = (platform: BotPlatform, on: Products): BotCodes | null =>
  modules.find(({ owner }) => isOn(on, owner))?.wire(platform) ?? null;
