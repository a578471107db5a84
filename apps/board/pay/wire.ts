import { ledgerReads } from '../../../infra/postgres/pay/ledger/reads.ts';
import { moneyBookAtStart } from '../../../infra/postgres/pay/money-project.ts';
import type { Platform } from '../../../infra/process/platform.ts';
import type { ProcessConfig } from '../../../infra/process/variables.ts';
import { financeRoutes } from './finance.routes.ts';

/** What finance reads of the book. */
export async function wirePay({ config, pools }: Platform<ProcessConfig<'board'>>) {
  const book = await moneyBookAtStart(pools.hot, config);
  return { routes: financeRoutes({ reads: ledgerReads(pools.read, book) }) };
}
