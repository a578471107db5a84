import { z } from 'zod';
import type { ProviderChoice } from '../job/job.ts';

/** Whose SMS carry codes; each has a client in `infra/providers/verify`. */
export const smsProviders = ['eskiz', 'play-mobile', 'twilio'] as const;
export const SmsProvider = z.enum(smsProviders);
export type SmsProvider = z.infer<typeof SmsProvider>;

export interface SmsProviderRules {
  /** How long to wait for its report of a delivery before the next provider is tried. */
  readonly confirmWithinSeconds: number;
  /** A try that nobody knows the end of may be made once more, where no other provider is left. */
  readonly mayRepeat: boolean;
}

export const smsProviderRules: Readonly<Record<SmsProvider, SmsProviderRules>> = {
  // Aggregators hand over to operators of their own country, which report within seconds; 30 s leave a one-minute code a second provider.
  eskiz: { confirmWithinSeconds: 30, mayRepeat: false },
  'play-mobile': { confirmWithinSeconds: 30, mayRepeat: false },
  // Foreign operators report within a minute.
  twilio: { confirmWithinSeconds: 60, mayRepeat: true },
};

/** Why a provider carried an SMS. */
export type SmsChoice = ProviderChoice;
