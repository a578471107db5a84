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

/** Asks each account for its balance, one after the other, and answers when it is due again. Throws what any of them met when all were asked. */
export async function askBalances(deps: BalanceDeps): Promise<number> {
  const faults: unknown[] = [];
  for (const [provider, ask] of deps.accounts)
    await askOne(deps, provider, ask).catch((fault: unknown) => faults.push(fault));
  if (faults.length > 0) throw faults[0];
  return BALANCE_MS;
}

async function askOne(
  { balances, show }: BalanceDeps,
  provider: SmsProvider,
  ask: AskBalance,
): Promise<void> {
  const reading = await inTime(ask);
  if (reading.kind === 'told') show(provider, reading.micros);
  await balances.record(provider, reading);
}

async function inTime(ask: AskBalance): Promise<BalanceReading> {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  return ask(signal).catch((error: unknown): BalanceReading => {
    if (signal.aborted) return { kind: 'failed', reason: 'timeout' };
    throw error;
  });
}
