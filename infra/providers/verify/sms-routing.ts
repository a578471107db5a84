import { type SmsProvider, smsProviders } from '../../../domain/verify/sms-provider.ts';
import { SmsRoutes, smsRoutesDefault, type SmsRouting } from '../../../domain/verify/sms-routes.ts';
import { byPath, fieldErrors, plainWords } from '../../../domain/shared/schema-words.ts';
import { type Config, ConfigError } from '../../process/config.ts';
import type { channelVariables } from '../../process/variables.ts';

/** What sets an SMS provider. */
export const setsSmsProvider: Readonly<Record<SmsProvider, (typeof channelVariables)[number]>> = {
  eskiz: 'ESKIZ_EMAIL',
  'play-mobile': 'PLAY_MOBILE_LOGIN',
  twilio: 'TWILIO_ACCOUNT_SID',
};

const NEXT_STEP = 'SMS_ROUTES: docs/operations.md, "SMS providers and routes", has an example to begin with.';

/** `SMS_ROUTES[0].providers[1].price` */
const placeIn = (path: readonly PropertyKey[]): string => `SMS_ROUTES${byPath(path)}`;

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
  const parsed = SmsRoutes.safeParse(routes, { error: plainWords });
  if (!parsed.success) {
    const faults = fieldErrors(parsed.error.issues, placeIn).map(
      ({ pointer, detail }) => `${pointer}: ${detail}`,
    );
    throw new ConfigError(`${faults.join('\n')}\n${NEXT_STEP}`);
  }
  const providers = smsProviders.filter((provider) => given.has(setsSmsProvider[provider]));
  return { routes: parsed.data, uzsPerUsd, providers: new Set(providers) };
}
