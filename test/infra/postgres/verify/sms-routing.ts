import type { SmsProvider } from '../../../../domain/verify/sms-provider.ts';
import { SmsRoutes, smsRoutesDefault, type SmsRouting } from '../../../../domain/verify/sms-routes.ts';

/** The routes of an installation that has accounts with these providers. */
export const routingWith = (...providers: SmsProvider[]): SmsRouting => ({
  routes: SmsRoutes.parse(smsRoutesDefault),
  uzsPerUsd: 12_000,
  providers: new Set(providers),
});
