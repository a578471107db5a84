import { phoneCodes } from '../../../domain/verify/phone-codes.ts';
import { destinations } from '../../../infra/postgres/verify/destinations.ts';
import { openCodes } from '../../../infra/verify/open-codes.ts';
import type { BotCodes, BotPlatform } from '../codes.ts';

/** The same codes as the api's. */
export function wireCodes(platform: BotPlatform): BotCodes {
  const codes = openCodes(platform);
  return { codes: phoneCodes(codes), destinations: destinations(platform.pools.hot), close: codes.close };
}
