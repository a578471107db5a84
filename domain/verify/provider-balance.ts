import type { SmsProvider } from './sms-provider.ts';

/** What a provider says of our account there. */
export type BalanceReading =
  /** `micros`: 10^-6 soʻm; null where it tells no balance and takes messages. */
  | { readonly kind: 'told'; readonly micros: bigint | null }
  /** Nothing was heard of it since it was last asked. */
  | { readonly kind: 'nothing-new' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Asks for the balance. It has a deadline: `signal`. */
export type AskBalance = (signal: AbortSignal) => Promise<BalanceReading>;

/** The accounts at those of Uzbekistan. */
export const BALANCE_CURRENCY = 'UZS';

export interface ProviderBalances {
  record(provider: SmsProvider, reading: BalanceReading): Promise<void>;
}
