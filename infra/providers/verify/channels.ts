import type { JobId } from '../../../domain/shared/ids.ts';
import type {
  CallbackName,
  CallbackReader,
  ListingProvider,
  ReportListReader,
} from '../../../domain/verify/callback.ts';
import { type Channel, channels } from '../../../domain/verify/channel.ts';
import type { CodeChannel } from '../../../domain/verify/port.ts';
import type { TelegramSender } from '../../../domain/telegram/port.ts';
import { type Config, ConfigError, type ConfigOf } from '../../process/config.ts';
import type { channelVariables, ProcessConfig, smsVariables } from '../../process/variables.ts';
import { setsSmsProvider } from './sms-routing.ts';
import { fcmFromConfig, setsPush } from '../push/from-config.ts';
import { setsTelegram, telegramFromConfig } from '../telegram/from-config.ts';

type ChannelConfig = ProcessConfig<'otp-send'>;
type SmsAccounts = ConfigOf<(typeof smsVariables)[number]>;

type CallbackUrl = (jobId: JobId, attempt: number) => string;

/** Where the providers that report report to. */
export type CallbackUrls = Readonly<Record<CallbackName, CallbackUrl>>;

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
): Promise<readonly CodeChannel[]> {
  const made = await Promise.all([
    pushOf(config),
    telegramOf(telegram ?? (await telegramFromConfig(config))),
    gatewayOf(config, urls),
  ]);
  return [...made.filter((channel) => channel !== null), ...(await smsFromConfig(config, urls))];
}

/**
 * The providers of SMS whose accounts are set.
 *
 * @throws ConfigError when an account is set by halves.
 */
export async function smsFromConfig(
  config: SmsAccounts,
  urls: Pick<CallbackUrls, 'eskiz' | 'twilio'>,
): Promise<readonly CodeChannel[]> {
  const made = await Promise.all([eskizOf(config, urls), playMobileOf(config), twilioOf(config, urls)]);
  return made.filter((channel) => channel !== null);
}

type ChannelVariable = (typeof channelVariables)[number];

/** What sets a channel; `totp` asks for no provider, as nothing is sent on it. */
const setsChannel: Readonly<Record<Channel, readonly ChannelVariable[] | null>> = {
  push: setsPush,
  telegram: setsTelegram,
  'telegram-gateway': ['TELEGRAM_GATEWAY_TOKEN'],
  sms: Object.values(setsSmsProvider),
  totp: null,
};

/** The channels that `channelsFromConfig` would make where the credentials are, without the credentials. */
export function configuredChannels({ given }: Pick<Config, 'given'>): ReadonlySet<Channel> {
  return new Set(channels.filter((channel) => setsChannel[channel]?.some((name) => given.has(name)) ?? true));
}

/** What sets a provider of SMS that sends approved texts only. */
const setsModerated: Readonly<Record<string, ChannelVariable>> = {
  eskiz: 'ESKIZ_EMAIL',
  'play-mobile': 'PLAY_MOBILE_LOGIN',
};

/** Those that are on. */
export const moderatedProviders = ({ given }: Pick<Config, 'given'>): readonly string[] =>
  Object.entries(setsModerated).flatMap(([provider, name]) => (given.has(name) ? [provider] : []));

/** The readers of callbacks of those channels that report. */
export async function callbackReadersFromConfig(
  config: Pick<Config, 'TWILIO_AUTH_TOKEN' | 'ESKIZ_PASSWORD' | 'TELEGRAM_GATEWAY_TOKEN'>,
): Promise<Partial<Record<CallbackName, CallbackReader>>> {
  const { TWILIO_AUTH_TOKEN: authToken, ESKIZ_PASSWORD: password, TELEGRAM_GATEWAY_TOKEN: token } = config;
  const [twilio, eskiz, gateway] = await Promise.all([
    authToken ? import('./twilio-callback.ts') : null,
    password ? import('./eskiz-callback.ts') : null,
    token ? import('./telegram-gateway-callback.ts') : null,
  ]);
  return {
    ...(twilio && authToken && { twilio: twilio.twilioCallbacks({ authToken }) }),
    ...(eskiz && password && { eskiz: eskiz.eskizCallbacks({ password }) }),
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

type AccountVariable =
  | 'TWILIO_ACCOUNT_SID'
  | 'TWILIO_AUTH_TOKEN'
  | 'TWILIO_PHONE_NUMBER'
  | 'ESKIZ_EMAIL'
  | 'ESKIZ_PASSWORD'
  | 'ESKIZ_FROM'
  | 'PLAY_MOBILE_LOGIN'
  | 'PLAY_MOBILE_PASSWORD'
  | 'PLAY_MOBILE_FROM';

/** The variables of one account; null where none is set. Half an account would leave its SMS silently off. */
function accountOf<Name extends AccountVariable>(
  config: SmsAccounts,
  whose: string,
  names: readonly Name[],
): Readonly<Record<Name, string>> | null {
  const missing = names.filter((name) => !config[name]);
  if (missing.length === names.length) return null;
  if (missing.length > 0)
    throw new ConfigError(
      missing.map((name) => `${name}: expected a value, as SMS through ${whose} needs it`).join('\n'),
    );
  return Object.fromEntries(names.map((name) => [name, config[name] ?? ''])) as Record<Name, string>;
}

const twilioAccount = (config: SmsAccounts) =>
  accountOf(config, 'Twilio', ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_PHONE_NUMBER']);
const eskizAccount = (config: SmsAccounts) =>
  accountOf(config, 'Eskiz', ['ESKIZ_EMAIL', 'ESKIZ_PASSWORD', 'ESKIZ_FROM']);
const playMobileAccount = (config: SmsAccounts) =>
  accountOf(config, 'Play Mobile', ['PLAY_MOBILE_LOGIN', 'PLAY_MOBILE_PASSWORD', 'PLAY_MOBILE_FROM']);

/** @throws ConfigError where an account at a provider of SMS is set by halves. */
export function checkSmsAccounts(config: SmsAccounts): void {
  for (const account of [twilioAccount, eskizAccount, playMobileAccount]) account(config);
}

async function twilioOf(config: SmsAccounts, urls: Pick<CallbackUrls, 'twilio'>) {
  const account = twilioAccount(config);
  if (!account) return null;
  const { twilioSms } = await import('./twilio-sms.ts');
  return twilioSms({
    accountSid: account.TWILIO_ACCOUNT_SID,
    authToken: account.TWILIO_AUTH_TOKEN,
    from: account.TWILIO_PHONE_NUMBER,
    apiUrl: config.TWILIO_API_URL,
    statusCallbackUrl: urls.twilio,
  });
}

async function eskizOf(config: SmsAccounts, urls: Pick<CallbackUrls, 'eskiz'>) {
  const account = eskizAccount(config);
  if (!account) return null;
  const { eskizSms } = await import('./eskiz-sms.ts');
  return eskizSms({
    email: account.ESKIZ_EMAIL,
    password: account.ESKIZ_PASSWORD,
    from: account.ESKIZ_FROM,
    apiUrl: config.ESKIZ_API_URL,
    callbackUrl: urls.eskiz,
  });
}

async function playMobileOf(config: SmsAccounts) {
  const account = playMobileAccount(config);
  if (!account) return null;
  const { playMobileSms } = await import('./play-mobile-sms.ts');
  return playMobileSms({
    login: account.PLAY_MOBILE_LOGIN,
    password: account.PLAY_MOBILE_PASSWORD,
    from: account.PLAY_MOBILE_FROM,
    apiUrl: config.PLAY_MOBILE_API_URL,
  });
}
