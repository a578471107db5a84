import type { ProjectId } from '../../../domain/shared/ids.ts';
import { ConfigError, type ConfigOf } from '../../process/config.ts';

/**
 * Whose book the money is in.
 *
 * @throws ConfigError where nobody said.
 */
export function moneyProjectOf({ MONEY_PROJECT }: ConfigOf<'MONEY_PROJECT'>): ProjectId {
  if (MONEY_PROJECT === undefined)
    throw new ConfigError(
      'MONEY_PROJECT: missing, and NAVBAT_PRODUCTS has pay. Expected: the id of the project whose book the money is in (npm run navbat -- project list).',
    );
  return MONEY_PROJECT;
}
