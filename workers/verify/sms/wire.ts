import { callbackPath } from '../../../domain/verify/callback.ts';
import { routeOf } from '../../../domain/verify/sms-routes.ts';
import { textModeration } from '../../../infra/postgres/verify/text-moderation.ts';
import { smsFromConfig } from '../../../infra/providers/verify/channels.ts';
import { smsRoutingOf } from '../../../infra/providers/verify/sms-routing.ts';
import type { OpenSms, SmsText } from '../../wire.ts';
import { plainSms } from './plain-sms.ts';

/** Texts of other products, by the providers, routes and prices of codes. They count in no budget of codes. */
export const openSms: OpenSms = async ({ clock: now }, config, pool) => {
  const url = (name: 'eskiz' | 'twilio') => (jobId: SmsText['jobId'], attempt: number) =>
    config.PUBLIC_URL + callbackPath(name, jobId, attempt);
  const found = await smsFromConfig(config, { eskiz: url('eskiz'), twilio: url('twilio') });
  if (found.length === 0) return null;
  const routing = smsRoutingOf(config);
  // What a provider answers to one link says nothing of the next: each has a text of its own. Its list does.
  const moderation = textModeration(pool, now, () => undefined);
  return {
    routeOf: (phone) => routeOf(phone, routing, []).map(({ provider }) => provider),
    providers: new Map(
      found.map((channel) => [channel.provider, plainSms(channel, { routing, moderation })]),
    ),
  };
};
