import type { JobId } from '../../domain/job/job.ts';
import type { CallbackReader } from '../../domain/otp/callback.ts';
import { type Channel, channels } from '../../domain/otp/channel.ts';
import type { CodeChannel } from '../../domain/otp/port.ts';
import { type Config, ConfigError } from '../config.ts';

type CallbackUrl = (jobId: JobId, attempt: number) => string;

/** Where the providers that report report to. */
export interface CallbackUrls {
  readonly sms: CallbackUrl;
  readonly 'telegram-gateway': CallbackUrl;
}

/**
 * The channels whose credentials are set. Each SDK is loaded only then: together they take a second to load.
 *
 * @throws ConfigError when a channel is set by halves, or its credentials can't be read.
 */
export async function channelsFromConfig(
  config: Config,
  urls: CallbackUrls,
): Promise<Partial<Record<Channel, CodeChannel>>> {
  const [push, telegram, gateway, sms] = await Promise.all([
    pushOf(config),
    telegramOf(config),
    gatewayOf(config, urls),
    smsOf(config, urls),
  ]);
  return {
    ...(push && { push }),
    ...(telegram && { telegram }),
    ...(gateway && { 'telegram-gateway': gateway }),
    ...(sms && { sms }),
  };
}

/** The channels that `channelsFromConfig` would make, without loading what sends. */
export function configuredChannels(config: Config): ReadonlySet<Channel> {
  const set: Record<Channel, unknown> = {
    push: config.FCM_SANDBOX_URL ?? config.FIREBASE_SERVICE_ACCOUNT,
    telegram: config.TELEGRAM_BOT_TOKEN,
    'telegram-gateway': config.TELEGRAM_GATEWAY_TOKEN,
    sms: config.TWILIO_ACCOUNT_SID,
  };
  return new Set(channels.filter((channel) => set[channel] !== undefined));
}

/** The readers of callbacks of those channels that report. */
export async function callbackReadersFromConfig(
  config: Config,
): Promise<Partial<Record<keyof CallbackUrls, CallbackReader>>> {
  const { TWILIO_AUTH_TOKEN: authToken, TELEGRAM_GATEWAY_TOKEN: token } = config;
  const [twilio, gateway] = await Promise.all([
    authToken ? import('./twilio-callback.ts') : null,
    token ? import('./gateway-callback.ts') : null,
  ]);
  return {
    ...(twilio && authToken && { sms: twilio.twilioCallbacks({ authToken }) }),
    ...(gateway && token && { 'telegram-gateway': gateway.gatewayCallbacks({ token }) }),
  };
}

async function pushOf({ FCM_SANDBOX_URL: sandboxUrl, FIREBASE_SERVICE_ACCOUNT: serviceAccount }: Config) {
  if (!sandboxUrl && !serviceAccount) return null;
  const { fcmPush } = await import('./fcm-push.ts');
  if (sandboxUrl) return fcmPush({ sandboxUrl });
  try {
    return fcmPush({ serviceAccount: serviceAccount ?? {} });
  } catch {
    throw new ConfigError(
      'FIREBASE_SERVICE_ACCOUNT: expected a service account with project_id, client_email and private_key',
    );
  }
}

async function telegramOf({ TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot }: Config) {
  if (!token) return null;
  const { telegramBot } = await import('./telegram-bot.ts');
  return telegramBot({ token, apiRoot });
}

async function gatewayOf(config: Config, urls: CallbackUrls) {
  const { TELEGRAM_GATEWAY_TOKEN: token, TELEGRAM_GATEWAY_URL: url } = config;
  if (!token) return null;
  const { telegramGateway } = await import('./telegram-gateway.ts');
  return telegramGateway({ token, url, callbackUrl: urls['telegram-gateway'] });
}

const twilioVariables = ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_PHONE_NUMBER'] as const;

async function smsOf(config: Config, urls: CallbackUrls) {
  const missing = twilioVariables.filter((name) => !config[name]);
  if (missing.length === twilioVariables.length) return null;
  // Half an account would leave SMS silently off.
  if (missing.length > 0)
    throw new ConfigError(
      missing.map((name) => `${name}: expected a value, as SMS through Twilio needs it`).join('\n'),
    );
  const { TWILIO_ACCOUNT_SID: accountSid = '', TWILIO_AUTH_TOKEN: authToken = '' } = config;
  const { TWILIO_PHONE_NUMBER: from = '', TWILIO_API_URL: apiUrl } = config;
  const { twilioSms } = await import('./twilio-sms.ts');
  return twilioSms({ accountSid, authToken, from, apiUrl, statusCallbackUrl: urls.sms });
}
