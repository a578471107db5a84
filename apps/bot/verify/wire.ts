import { phoneCodes } from '../../../domain/verify/phone-codes.ts';
import { destinations } from '../../../infra/postgres/verify/destinations.ts';
import type { Platform } from '../../../infra/process/platform.ts';
import type { ProcessConfig } from '../../../infra/process/variables.ts';
import { openCodes } from '../../../infra/verify/open-codes.ts';
import type { BotCodes } from '../codes.ts';

/** The same codes as the api's. */
export function wireCodes(platform: Platform<ProcessConfig<'bot'>>): BotCodes {
  const codes = openCodes(platform);
  return { codes: phoneCodes(codes), destinations: destinations(platform.pools.hot), close: codes.close };
}
