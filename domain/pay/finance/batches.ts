import type { Page, PageOrder } from '../../shared/page.ts';
import type { BatchId, PayoutId, RailId } from '../ids.ts';
import type { PayoutSource } from '../payout/payout.ts';
import type { BatchState, ItemState } from '../batch/batch.ts';
import type { ApproverFacts, RunBlock } from './next.ts';

/** A batch as staff read it. Amounts are tiyin. */
export interface BatchView {
  readonly id: BatchId;
  readonly rail: RailId;
  readonly name: string;
  readonly state: BatchState;
  readonly version: number;
  /** Lines that are not dropped, and what leaves by the rail for them. */
  readonly count: number;
  readonly total: bigint;
  /** Hex; null while it is a draft. */
  readonly contentHash: string | null;
  readonly approvalsNeeded: number;
  /** Of what stands there now, by people who count. */
  readonly approvals: readonly Hand[];
  /** By people who count no more: disabled, of another role, or without the second factor that they proved it with. */
  readonly approvalsGone: readonly Hand[];
  /** Who made, changed or imported something of it, or submitted it: none of them approves it. */
  readonly makers: readonly Hand[];
  readonly madeAt: Date;
  readonly submittedAt: Date | null;
  /** When it is to start by itself. */
  readonly runAt: Date | null;
  readonly startedAt: Date | null;
  readonly doneAt: Date | null;
  readonly closedAt: Date | null;
  /** Of one that is submitted, approved or paused: why it could not begin to run now, or go on. */
  readonly runBlock: RunBlock | null;
  /** Nothing of it goes on. */
  readonly isRestCancelled: boolean;
}

/** A member of staff, as others know them. */
export interface Hand {
  readonly id: string;
  readonly email: string;
}

export interface BatchFilter {
  readonly state?: BatchState | undefined;
  readonly rail?: RailId | undefined;
}

export interface ItemView {
  readonly n: number;
  readonly payoutId: PayoutId;
  readonly net: bigint;
  readonly last4: string;
  readonly state: ItemState;
  readonly personId: string | null;
  readonly phone: string | null;
  readonly payee: string | null;
  readonly purpose: string | null;
  readonly reference: string | null;
  readonly nameScore: number | null;
  readonly reason: string | null;
}

/** How far it is: lines and their sum, by state. */
export interface Progress {
  readonly state: BatchState;
  readonly version: number;
  readonly items: Readonly<Record<ItemState, Sum>>;
}

export interface Sum {
  readonly count: number;
  readonly total: bigint;
}

/** What an approver has to see before the table. Each sum is over the batch's lines. */
export interface Risk {
  /** Cards bound within a week. */
  readonly newDestinations: Sum;
  /** Cards that several payees have bound. */
  readonly sharedCards: Sum;
  /** Payees to whom nothing was paid before. */
  readonly firstPayouts: Sum;
  /** The name on the card is not that of the list. */
  readonly lowNames: Sum;
  /** Of lists and keys: no name on the card to compare with. */
  readonly unknownNames: Sum;
  /** Payees who are paid nothing now. */
  readonly blocked: Sum;
  /** Payees with several lines. */
  readonly repeatedPayees: Sum;
  /** Asked for by API keys that were revoked since: one that leaked, perhaps. */
  readonly revokedKeys: Sum;
  readonly largest: readonly ItemView[];
  /** The last three of the rail that were run. */
  readonly before: readonly EarlierBatch[];
}

export interface EarlierBatch extends Sum {
  readonly id: BatchId;
  readonly name: string;
  readonly startedAt: Date;
}

export interface BatchReads {
  /** Newest first. */
  readonly batches: (filter: BatchFilter, order: PageOrder) => Promise<Page<BatchView>>;
  readonly batch: (id: BatchId) => Promise<BatchView | null>;
  /** In the order of their numbers. */
  readonly items: (
    id: BatchId,
    page: { readonly after: number; readonly limit: number; readonly state: ItemState | null },
  ) => Promise<{ readonly rows: readonly ItemView[]; readonly hasMore: boolean }>;
  readonly progress: (id: BatchId) => Promise<Progress | null>;
  readonly risk: (id: BatchId) => Promise<Risk>;
  /** What would keep this member of staff from approving it. */
  readonly approver: (id: BatchId, staffId: string) => Promise<ApproverFacts>;
  /** Payouts that wait and could be added to it now, the oldest first, at most `limit`. */
  readonly candidates: (
    id: BatchId,
    filter: CandidateFilter,
    limit: number,
  ) => Promise<readonly { readonly id: PayoutId; readonly net: bigint }[]>;
}

/** Which payouts finance means, beside those of the batch's rail. */
export interface CandidateFilter {
  readonly source?: PayoutSource | undefined;
  readonly list_id?: string | undefined;
  readonly funder?: string | undefined;
  /** Asked for at or after. */
  readonly from?: Date | undefined;
  /** Asked for before. */
  readonly to?: Date | undefined;
  /** Tiyin. */
  readonly amount_max?: bigint | undefined;
}
