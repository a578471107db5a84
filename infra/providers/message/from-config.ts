import type { PushSender } from '../../../domain/message/push/port.ts';
import type { Config } from '../../process/config.ts';
import { type FcmConfig, fcmFromConfig, setsPush } from '../push/from-config.ts';
import { setsTelegram } from '../telegram/from-config.ts';

const setsSender = { push: setsPush, telegram: setsTelegram };

/** The channels of messages that are set here, without their credentials. */
export const configuredSenders = ({ given }: Pick<Config, 'given'>): ReadonlySet<string> =>
  new Set(
    Object.entries(setsSender).flatMap(([channel, names]) =>
      names.some((name) => given.has(name)) ? [channel] : [],
    ),
  );

/**
 * Pushes of any content, or null where Firebase is off.
 *
 * @throws ConfigError when its credentials can't be read.
 */
export async function pushFromConfig(config: FcmConfig): Promise<PushSender | null> {
  const client = await fcmFromConfig(config);
  if (!client) return null;
  const { pushSender } = await import('./push-sender.ts');
  return pushSender(client);
}
