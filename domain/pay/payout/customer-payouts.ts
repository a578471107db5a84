import type { Page, PageOrder } from '../../shared/page.ts';
import type { Phone } from '../../shared/phone.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { PayoutId } from '../ids.ts';
import type { AnsweredRequest, MoneyRequest } from '../money-request.ts';
import type { PayoutState } from './payout.ts';
import type { KeptAs } from './withdrawals.ts';

/** What a customer's key asks for. */
export interface PayoutOrder {
  readonly phone: Phone;
  readonly name: string;
  /** Tiyin. */
  readonly amount: bigint;
  readonly purpose: string;
  /** The customer's own; of one project it stands for one payout. */
  readonly reference: string;
}

/** Whose money pays, and which key asks for it. */
export interface PayingKey {
  readonly funder: ProjectId;
  readonly keyId: string;
  /** Of one key and day of Tashkent, in tiyin. */
  readonly dayMax: bigint;
}

export interface CustomerPayout {
  readonly id: PayoutId;
  readonly reference: string;
  readonly state: PayoutState;
  readonly reason: string | null;
  readonly gross: bigint;
  readonly fee: bigint;
  readonly phone: string;
  readonly name: string | null;
  readonly purpose: string | null;
  readonly createdAt: Date;
  readonly stateAt: Date;
  /** Until when the payee may bind a card; null where there is one. */
  readonly expiresAt: Date | null;
}

/** `repeated`: the reference stood for this very payout already. */
export interface AskedPayout {
  readonly id: PayoutId;
  readonly reference: string;
  readonly state: PayoutState;
  readonly repeated: boolean;
}

export interface PayoutFilter {
  readonly state?: PayoutState | undefined;
  readonly reference?: string | undefined;
}

/** Payouts of a customer, out of what it has paid in. */
export interface CustomerPayouts {
  /** All or none, in their order. */
  readonly ask: (
    request: MoneyRequest,
    by: PayingKey,
    orders: readonly PayoutOrder[],
    as: KeptAs<readonly AskedPayout[]>,
  ) => Promise<AnsweredRequest>;
  readonly cancel: (
    request: MoneyRequest,
    by: PayingKey,
    id: PayoutId,
    as: KeptAs<{ readonly id: PayoutId; readonly state: PayoutState }>,
  ) => Promise<AnsweredRequest>;
  /** Newest first. */
  readonly list: (funder: ProjectId, filter: PayoutFilter, order: PageOrder) => Promise<Page<CustomerPayout>>;
  readonly find: (funder: ProjectId, id: PayoutId) => Promise<CustomerPayout | null>;
}
