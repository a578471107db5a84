import type { JobId } from '../../../domain/shared/ids.ts';
import type { CallbackReader, ListingProvider, ReportListReader } from '../../../domain/verify/callback.ts';
import { type Channel, channels } from '../../../domain/verify/channel.ts';
import type { CodeChannel } from '../../../domain/verify/port.ts';
import type { TelegramSender } from '../../../domain/telegram/port.ts';
import { type Config, ConfigError } from '../../process/config.ts';
import type { channelVariables, ProcessConfig } from '../../process/variables.ts';
import { fcmFromConfig, setsPush } from '../push/from-config.ts';
import { setsTelegram, telegramFromConfig } from '../telegram/from-config.ts';

type ChannelConfig = ProcessConfig<'otp-send'>;

type CallbackUrl = (jobId: JobId, attempt: number) => string;

/** Where the providers that report report to. */
export interface CallbackUrls {
  readonly sms: CallbackUrl;
  readonly 'telegram-gateway': CallbackUrl;
}

/**
 * The channels whose credentials are set. Each SDK is loaded only then: together they take a second to load.
 *
 * @param telegram what `telegramFromConfig` made for this process. Without it the bot's pace is kept in this call alone.
 * @throws ConfigError when a channel is set by halves, or its credentials can't be read.
 */
export async function channelsFromConfig(
  config: ChannelConfig,
  urls: CallbackUrls,
  telegram?: TelegramSender | null,
): Promise<Partial<Record<Channel, CodeChannel>>> {
  const [push, bot, gateway, sms] = await Promise.all([
    pushOf(config),
    telegramOf(telegram ?? (await telegramFromConfig(config))),
    gatewayOf(config, urls),
    smsOf(config, urls),
  ]);
  return {
    ...(push && { push }),
    ...(bot && { telegram: bot }),
    ...(gateway && { 'telegram-gateway': gateway }),
    ...(sms && { sms }),
  };
}

type ChannelVariable = (typeof channelVariables)[number];

/** What sets a channel; `totp` asks for no provider, as nothing is sent on it. */
const setsChannel: Readonly<Record<Channel, readonly ChannelVariable[] | null>> = {
  push: setsPush,
  telegram: setsTelegram,
  'telegram-gateway': ['TELEGRAM_GATEWAY_TOKEN'],
  sms: ['TWILIO_ACCOUNT_SID'],
  totp: null,
};

/** The channels that `channelsFromConfig` would make where the credentials are, without the credentials. */
export function configuredChannels({ given }: Pick<Config, 'given'>): ReadonlySet<Channel> {
  return new Set(channels.filter((channel) => setsChannel[channel]?.some((name) => given.has(name)) ?? true));
}

/** The readers of callbacks of those channels that report. */
export async function callbackReadersFromConfig(
  config: Pick<Config, 'TWILIO_AUTH_TOKEN' | 'TELEGRAM_GATEWAY_TOKEN'>,
): Promise<Partial<Record<keyof CallbackUrls, CallbackReader>>> {
  const { TWILIO_AUTH_TOKEN: authToken, TELEGRAM_GATEWAY_TOKEN: token } = config;
  const [twilio, gateway] = await Promise.all([
    authToken ? import('./twilio-callback.ts') : null,
    token ? import('./telegram-gateway-callback.ts') : null,
  ]);
  return {
    ...(twilio && authToken && { sms: twilio.twilioCallbacks({ authToken }) }),
    ...(gateway && token && { 'telegram-gateway': gateway.gatewayCallbacks({ token }) }),
  };
}

/** The readers of reports that come to one address for all messages. */
export async function listedReadersFromConfig({
  PLAY_MOBILE_PASSWORD: password,
}: Pick<Config, 'PLAY_MOBILE_PASSWORD'>): Promise<Partial<Record<ListingProvider, ReportListReader>>> {
  if (!password) return {};
  const { playMobileReports } = await import('./play-mobile-reports.ts');
  return { 'play-mobile': playMobileReports({ password }) };
}

async function pushOf(config: ChannelConfig) {
  const client = await fcmFromConfig(config);
  if (!client) return null;
  const { fcmPush } = await import('./fcm-push.ts');
  return fcmPush(client);
}

async function telegramOf(client: TelegramSender | null) {
  if (!client) return null;
  const { telegramBot } = await import('./telegram-bot.ts');
  return telegramBot(client);
}

async function gatewayOf(config: ChannelConfig, urls: CallbackUrls) {
  const { TELEGRAM_GATEWAY_TOKEN: token, TELEGRAM_GATEWAY_URL: url } = config;
  if (!token) return null;
  const { telegramGateway } = await import('./telegram-gateway.ts');
  return telegramGateway({ token, url, callbackUrl: urls['telegram-gateway'] });
}

const twilioVariables = ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_PHONE_NUMBER'] as const;

async function smsOf(config: ChannelConfig, urls: CallbackUrls) {
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
