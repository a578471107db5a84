import type { CardRail } from '../../../domain/pay/rail/port.ts';
import { type Config, ConfigError } from '../../process/config.ts';

type MulticardConfig = Pick<
  Config,
  | 'MULTICARD_APPLICATION_ID'
  | 'MULTICARD_SECRET'
  | 'MULTICARD_STORE_ID'
  | 'MULTICARD_CALLBACK_SECRET'
  | 'MULTICARD_API_URL'
  | 'PUBLIC_URL'
>;

const names = ['MULTICARD_APPLICATION_ID', 'MULTICARD_SECRET', 'MULTICARD_STORE_ID'] as const;

/** @throws ConfigError where the account is set by halves: payments would wait without a word. */
export function checkMulticard(config: MulticardConfig): void {
  const missing = names.filter((name) => !config[name]);
  if (missing.length > 0 && missing.length < names.length)
    throw new ConfigError(
      missing.map((name) => `${name}: expected a value, as Multicard needs it`).join('\n'),
    );
}

/** The rail that pays cards, or null where no account is set. */
export async function multicardFromConfig(
  config: MulticardConfig,
  clock: () => Date,
): Promise<CardRail | null> {
  checkMulticard(config);
  const { MULTICARD_APPLICATION_ID: applicationId, MULTICARD_SECRET: secret } = config;
  const { MULTICARD_STORE_ID: storeId } = config;
  if (!applicationId || !secret || !storeId) return null;
  const { multicard } = await import('./multicard.ts');
  return multicard({
    applicationId,
    secret,
    storeId,
    callbackSecret: config.MULTICARD_CALLBACK_SECRET,
    apiUrl: config.MULTICARD_API_URL,
    publicUrl: config.PUBLIC_URL,
    clock,
  });
}
