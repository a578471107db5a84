import { payerOf } from '../../../domain/pay/bank-file/payer.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { bankFileText } from '../../../infra/pay/bank-file-bytes.ts';
import { bankFiles } from '../../../infra/postgres/pay/bank-file/store.ts';
import { differences } from '../../../infra/postgres/pay/reconcile/differences.ts';
import { equationReads } from '../../../infra/postgres/pay/reconcile/equation.ts';
import { statements } from '../../../infra/postgres/pay/reconcile/statements.ts';
import { sha256 } from '../../../infra/process/crypto.ts';
import { batchActs } from '../../../infra/postgres/pay/finance/acts.ts';
import { cancelPayout } from '../../../infra/postgres/pay/finance/cancel-payout.ts';
import { inbox } from '../../../infra/postgres/pay/finance/inbox.ts';
import { batchReads } from '../../../infra/postgres/pay/finance/batches.ts';
import { corrections } from '../../../infra/postgres/pay/finance/corrections.ts';
import { destinationSecrets } from '../../../infra/pay/destination-secrets.ts';
import { newLinkToken } from '../../../infra/pay/link-token.ts';
import { readSpreadsheet } from '../../../infra/pay/spreadsheet.ts';
import { linkAgain } from '../../../infra/postgres/pay/list/links.ts';
import { listStore } from '../../../infra/postgres/pay/list/lists.ts';
import { destinationStore } from '../../../infra/postgres/pay/payout/destinations.ts';
import { ledgerReads } from '../../../infra/postgres/pay/ledger/reads.ts';
import { rails } from '../../../infra/postgres/pay/finance/rails.ts';
import { moneyBookAtStart } from '../../../infra/postgres/pay/money-project.ts';
import { payoutReads } from '../../../infra/postgres/pay/finance/payouts.ts';
import type { Platform } from '../../../infra/process/platform.ts';
import type { ProcessConfig } from '../../../infra/process/variables.ts';
import type { StaffRoute } from '../../http/route.ts';
import { batchEventRoutes, type BatchEventParts } from './batch-events.routes.ts';
import { batchItemRoutes } from './batch-items.routes.ts';
import { type BatchParts, batchRoutes } from './batches.routes.ts';
import { type CorrectionParts, correctionRoutes } from './corrections.routes.ts';
import { type FinanceParts, financeRoutes } from './finance.routes.ts';
import { type InboxParts, inboxRoutes } from './inbox.routes.ts';
import { type LinkParts, linkRoutes } from './links.routes.ts';
import { type ListParts, listRoutes } from './lists.routes.ts';
import { payoutCancelRoutes, type PayoutCancelParts } from './payout-cancel.routes.ts';
import { financePayoutRoutes, type PayoutParts } from './payouts.routes.ts';
import { railRoutes, type RailParts } from './rails.routes.ts';
import { type ReconcileParts, reconcileRoutes } from './reconcile.routes.ts';

interface PayParts
  extends
    FinanceParts,
    CorrectionParts,
    InboxParts,
    LinkParts,
    ListParts,
    PayoutCancelParts,
    PayoutParts,
    RailParts,
    ReconcileParts {
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
  ...payoutCancelRoutes(parts),
  ...linkRoutes(parts),
  ...listRoutes(parts),
  ...correctionRoutes(parts),
  ...railRoutes(parts),
  ...reconcileRoutes(parts),
];

export async function wirePay({ config, pools, hash, encryption }: Platform<ProcessConfig<'board'>>) {
  const book: ProjectId = await moneyBookAtStart(pools.hot, config);
  const { BANK_FILE_PAYER: payer } = config;
  const ended = new AbortController();
  const secrets = destinationSecrets(hash, encryption);
  const destinations = destinationStore({ book, secrets });
  const reads = batchReads(pools.read, book);
  const routes = payRoutes({
    book,
    reads: ledgerReads(pools.read, book),
    batches: { reads, batches: batchActs(pools.hot, book), ended: ended.signal },
    inbox: inbox(pools.read, book, reads),
    payouts: payoutReads(pools.read, book),
    cancelPayout: cancelPayout(pools.hot, book),
    corrections: corrections(pools.hot, book),
    rails: rails(pools.hot),
    statements: statements({ pool: pools.hot, book, encryption }),
    differences: differences(pools.hot, book),
    equation: equationReads(pools.read, book),
    files: bankFiles(pools.read, book, encryption),
    decode: bankFileText,
    sha256,
    account: payer === undefined ? null : payerOf(payer).account,
    lists: listStore({ pool: pools.hot, book, hash, destinations }),
    readList: readSpreadsheet,
    sendLinkAgain: linkAgain({ pool: pools.hot, book, hash, encryption }),
    newToken: newLinkToken,
  });
  return { routes, endStreams: () => ended.abort() };
}
