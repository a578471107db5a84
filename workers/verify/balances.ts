import type { AskBalance, BalanceReading, ProviderBalances } from '../../domain/verify/provider-balance.ts';
import type { SmsProvider } from '../../domain/verify/sms-provider.ts';

/** 5 min: an account that is filled by hand is looked after in hours, and each worker asks. */
export const BALANCE_MS = 5 * 60_000;
/** 5 s for one answer: nobody waits for it. */
const ANSWER_MS_MAX = 5_000;

export interface BalanceDeps {
  readonly accounts: ReadonlyMap<SmsProvider, AskBalance>;
  readonly balances: ProviderBalances;
  /** Shows it to a scraper; null where it is not known. */
  readonly show: (provider: SmsProvider, micros: bigint | null) => void;
}

/** Asks each account for its balance, one after the other, and answers when it is due again. */
export async function askBalances({ accounts, balances, show }: BalanceDeps): Promise<number> {
  for (const [provider, ask] of accounts) {
    const reading = await inTime(ask);
    if (reading.kind === 'told') show(provider, reading.micros);
    await balances.record(provider, reading);
  }
  return BALANCE_MS;
}

async function inTime(ask: AskBalance): Promise<BalanceReading> {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  return ask(signal).catch((error: unknown): BalanceReading => {
    if (signal.aborted) return { kind: 'failed', reason: 'timeout' };
    throw error;
  });
}
