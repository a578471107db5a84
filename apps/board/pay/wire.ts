import type { ProjectId } from '../../../domain/shared/ids.ts';
import { batchActs } from '../../../infra/postgres/pay/finance/acts.ts';
import { inbox } from '../../../infra/postgres/pay/finance/inbox.ts';
import { batchReads } from '../../../infra/postgres/pay/finance/batches.ts';
import { corrections } from '../../../infra/postgres/pay/finance/corrections.ts';
import { ledgerReads } from '../../../infra/postgres/pay/ledger/reads.ts';
import { rails } from '../../../infra/postgres/pay/finance/rails.ts';
import { moneyBookAtStart } from '../../../infra/postgres/pay/money-project.ts';
import { payoutReads } from '../../../infra/postgres/pay/finance/payouts.ts';
import { useProof } from '../../../infra/postgres/staff/proofs.ts';
import type { Platform } from '../../../infra/process/platform.ts';
import type { ProcessConfig } from '../../../infra/process/variables.ts';
import type { StaffRoute } from '../../http/route.ts';
import { batchEventRoutes, type BatchEventParts } from './batch-events.routes.ts';
import { batchItemRoutes } from './batch-items.routes.ts';
import { type BatchParts, batchRoutes } from './batches.routes.ts';
import { type CorrectionParts, correctionRoutes } from './corrections.routes.ts';
import { type FinanceParts, financeRoutes } from './finance.routes.ts';
import { type InboxParts, inboxRoutes } from './inbox.routes.ts';
import { financePayoutRoutes, type PayoutParts } from './payouts.routes.ts';
import { railRoutes, type RailParts } from './rails.routes.ts';

interface PayParts extends FinanceParts, CorrectionParts, InboxParts, PayoutParts, RailParts {
  readonly batches: BatchParts & BatchEventParts;
}

/** All that finance reads and does. */
export const payRoutes = ({ batches, ...parts }: PayParts): StaffRoute[] => [
  ...financeRoutes(parts),
  ...inboxRoutes(parts),
  ...batchRoutes(batches),
  ...batchItemRoutes(batches),
  ...batchEventRoutes(batches),
  ...financePayoutRoutes(parts),
  ...correctionRoutes(parts),
  ...railRoutes(parts),
];

export async function wirePay({ config, pools }: Platform<ProcessConfig<'board'>>) {
  const book: ProjectId = await moneyBookAtStart(pools.hot, config);
  const ended = new AbortController();
  const reads = batchReads(pools.read, book);
  const routes = payRoutes({
    book,
    reads: ledgerReads(pools.read, book),
    batches: { reads, batches: batchActs(pools.hot, book), ended: ended.signal },
    inbox: inbox(pools.read, book, reads),
    payouts: payoutReads(pools.read, book),
    corrections: corrections(pools.hot, book),
    rails: rails(pools.hot, useProof),
  });
  return { routes, endStreams: () => ended.abort() };
}
