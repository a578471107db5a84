import { z } from 'zod';

export const channels = ['push', 'telegram', 'telegram-gateway', 'sms', 'totp'] as const;
export const Channel = z.enum(channels);
export type Channel = z.infer<typeof Channel>;

/** Nothing is sent on it: the person reads the code off a bound device or an authenticator app. */
export const SILENT_CHANNEL = 'totp' satisfies Channel;
/** The provider of a push to Navbat's own app, on attempts: a challenge that the app fetches, and answers with a signature. */
export const OWN_APP_PROVIDER = 'navbat-app';

/** What shows that whoever types the code holds the phone. A chat or a push token was named by the project, and may be anybody's. */
export const phoneProvingChannels = ['telegram-gateway', 'sms'] as const satisfies readonly Channel[];

export interface ChannelRules {
  /** Each message costs money: budgets, toll-fraud blocks and the hourly cap of a number apply. */
  readonly paid: boolean;
  /** Set aside from the day's budget before a message leaves, in 10^-6 USD; the provider's own price replaces it. */
  readonly reservedMicros: number;
  /**
   * What proves that it arrived: the API's own answer, a later callback, or nothing at all (a push token that
   * belongs to somebody else's app).
   */
  readonly confirmedBy: 'answer' | 'callback' | 'nothing';
  /** How long to wait for that proof before the chain moves on. */
  readonly confirmWithinSeconds: number;
}

export const channelRules: Readonly<Record<Channel, ChannelRules>> = {
  // A phone in a pocket shows a push within seconds; who has not typed the code after 15 s may have no network.
  push: { paid: false, reservedMicros: 0, confirmedBy: 'nothing', confirmWithinSeconds: 15 },
  telegram: { paid: false, reservedMicros: 0, confirmedBy: 'answer', confirmWithinSeconds: 0 },
  // The Gateway refunds what it could not deliver in time; half a minute leaves a one-minute code room for an SMS.
  'telegram-gateway': {
    paid: true,
    reservedMicros: 10_000,
    confirmedBy: 'callback',
    confirmWithinSeconds: 30,
  },
  // Operators report delivery within seconds, foreign ones within a minute.
  sms: { paid: true, reservedMicros: 350_000, confirmedBy: 'callback', confirmWithinSeconds: 60 },
  totp: { paid: false, reservedMicros: 0, confirmedBy: 'nothing', confirmWithinSeconds: 0 },
};
