import type { Redis } from 'ioredis';
import type { PushSender } from '../../../domain/message/push/port.ts';
import type { TelegramSender } from '../../../domain/message/telegram/port.ts';
import { telegramSlots } from '../../limits/telegram-slots.ts';
import { type Config, ConfigError } from '../../process/config.ts';
import type { channelVariables } from '../../process/variables.ts';
import type { FcmClient } from './fcm-client.ts';

type TelegramConfig = Pick<
  Config,
  'TELEGRAM_BOT_TOKEN' | 'TELEGRAM_API_ROOT' | 'TELEGRAM_MESSAGES_PER_SECOND' | 'TELEGRAM_CHAT_GAP_MS'
>;
type FcmConfig = Pick<Config, 'FCM_SANDBOX_URL' | 'FIREBASE_SERVICE_ACCOUNT'>;

type ChannelVariable = (typeof channelVariables)[number];

/** What sets a channel; one of them is enough. */
export const setsMessages = {
  push: ['FCM_SANDBOX_URL', 'FIREBASE_SERVICE_ACCOUNT'],
  telegram: ['TELEGRAM_BOT_TOKEN'],
} as const satisfies Readonly<Record<string, readonly ChannelVariable[]>>;

/** The channels of messages that are set here, without their credentials. */
export const configuredSenders = ({ given }: Pick<Config, 'given'>): ReadonlySet<string> =>
  new Set(
    Object.entries(setsMessages).flatMap(([channel, names]) =>
      names.some((name) => given.has(name)) ? [channel] : [],
    ),
  );

/**
 * The bot, or null where it has no token. One for a process: all that it sends waits in one line.
 *
 * @param onMoved writes down that a group became a supergroup.
 * @param redis the connection over which all processes share the bot's pace; it should refuse at once while Redis is away.
 */
export async function telegramFromConfig(
  config: TelegramConfig,
  redis?: Redis,
  onError?: (error: Error) => void,
  onMoved?: (from: string, to: string) => Promise<void>,
): Promise<TelegramSender | null> {
  const { TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot } = config;
  if (!token) return null;
  const { TELEGRAM_MESSAGES_PER_SECOND: messagesPerSecond, TELEGRAM_CHAT_GAP_MS: chatGapMs } = config;
  const { telegramClient } = await import('./telegram-client.ts');
  const slots = telegramSlots({ token, redis, messagesPerSecond, chatGapMs, onError });
  return telegramClient({ token, apiRoot, slots, onMoved });
}

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

/** The client of Firebase, which several send through. */
export async function fcmFromConfig(config: FcmConfig): Promise<FcmClient | null> {
  const { FCM_SANDBOX_URL: sandboxUrl, FIREBASE_SERVICE_ACCOUNT: serviceAccount } = config;
  if (!sandboxUrl && !serviceAccount) return null;
  const { fcmClient } = await import('./fcm-client.ts');
  if (sandboxUrl) return fcmClient({ sandboxUrl });
  try {
    return fcmClient({ serviceAccount: serviceAccount ?? {} });
  } catch {
    throw new ConfigError(
      'FIREBASE_SERVICE_ACCOUNT: expected a service account with project_id, client_email and private_key',
    );
  }
}
