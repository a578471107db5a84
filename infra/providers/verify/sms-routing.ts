import { type SmsProvider, smsProviders } from '../../../domain/verify/sms-provider.ts';
import { SmsRoutes, smsRoutesDefault, type SmsRouting } from '../../../domain/verify/sms-routes.ts';
import { type Config, ConfigError } from '../../process/config.ts';
import type { channelVariables } from '../../process/variables.ts';

/** What sets an SMS provider. */
export const setsSmsProvider: Readonly<Record<SmsProvider, (typeof channelVariables)[number]>> = {
  eskiz: 'ESKIZ_EMAIL',
  'play-mobile': 'PLAY_MOBILE_LOGIN',
  twilio: 'TWILIO_ACCOUNT_SID',
};

/**
 * Which providers carry SMS to which numbers, and at what price: those whose credentials are set.
 *
 * @throws ConfigError when `SMS_ROUTES` is no list of routes.
 */
export function smsRoutingOf({
  given,
  SMS_ROUTES: routes = smsRoutesDefault,
  SMS_UZS_PER_USD: uzsPerUsd,
}: Pick<Config, 'given' | 'SMS_ROUTES' | 'SMS_UZS_PER_USD'>): SmsRouting {
  const parsed = SmsRoutes.safeParse(routes);
  if (!parsed.success)
    throw new ConfigError(
      parsed.error.issues.map(({ path, message }) => `SMS_ROUTES: ${path.join('.')}: ${message}`).join('\n'),
    );
  const providers = smsProviders.filter((provider) => given.has(setsSmsProvider[provider]));
  return { routes: parsed.data, uzsPerUsd, providers: new Set(providers) };
}
