import { isOn, type Owner, type Products } from '../../domain/products.ts';
import type { ButtonPresses } from '../../domain/telegram/button.ts';
import { buttonPresses } from '../../infra/postgres/message/telegram/button-presses.ts';
import type { Platform } from '../../infra/process/platform.ts';
import type { ProcessConfig } from '../../infra/process/variables.ts';
import type { BotCodes } from './codes.ts';
import type { BotSettings } from './conversation.ts';
import { wireSettings } from './message/wire.ts';
import { wireCodes } from './verify/wire.ts';

type BotPlatform = Platform<ProcessConfig<'bot'>>;

interface Module {
  readonly owner: Owner;
  /** Sends codes; the bot registers nobody without them. */
  readonly codes?: (platform: BotPlatform) => BotCodes;
  /** Has buttons under what the bot sends for it. */
  readonly presses?: (pool: BotPlatform['pools']['hot']) => ButtonPresses;
  /** Sends what people may switch off. */
  readonly settings?: (platform: BotPlatform) => BotSettings;
}

/** One line a product. */
const modules: readonly Module[] = [
  { owner: 'verify', codes: wireCodes },
  { owner: 'message', presses: buttonPresses, settings: wireSettings },
];

interface Wired {
  /** Null where the product that sends them is off. */
  readonly codes: BotCodes | null;
  readonly presses: ButtonPresses;
  /** Null where the product that sends messages is off. */
  readonly settings: BotSettings | null;
}

export function wireModules(platform: BotPlatform, on: Products): Wired {
  const wired = modules.filter(({ owner }) => isOn(on, owner));
  const all = wired.flatMap(({ presses }) => presses?.(platform.pools.hot) ?? []);
  return {
    codes: wired.find(({ codes }) => codes)?.codes?.(platform) ?? null,
    settings: wired.find(({ settings }) => settings)?.settings?.(platform) ?? null,
    presses: {
      tell: async (press, now) => {
        for (const presses of all) if (await presses.tell(press, now)) return true;
        return false;
      },
    },
  };
}
