import { z } from 'zod';
import type { Page, PageOrder } from '../../shared/page.ts';
import type { Hand } from './batches.ts';
import type { RailId } from '../ids.ts';
import type { AnsweredRequest, MoneyRequest } from '../money-request.ts';
import type { KeptAs } from '../payout/withdrawals.ts';
import type { MoneyRefusal } from '../refusals.ts';

export const CorrectionId = z.uuid().brand<'CorrectionId'>();
export type CorrectionId = z.infer<typeof CorrectionId>;

/**
 * What two people do to the ledger by hand. `top-up`: a project has paid in; `wallet-top-up`: money went from the bank to a wallet;
 * `adjust-up`, `adjust-down`: of a person's or a project's money; `write-off`: a debt is given up.
 */
export const CorrectionKind = z.enum(['top-up', 'wallet-top-up', 'adjust-up', 'adjust-down', 'write-off']);
export type CorrectionKind = z.infer<typeof CorrectionKind>;

export const CorrectionState = z.enum(['asked', 'agreed', 'withdrawn']);
export type CorrectionState = z.infer<typeof CorrectionState>;

/** Whose account: a person's, a project's, or our wallet at a rail. */
export type CorrectionOf =
  | { readonly class: 'available' | 'receivable' | 'funded'; readonly owner: string; readonly rail: null }
  | { readonly class: 'wallet'; readonly owner: null; readonly rail: RailId };

export interface CorrectionOrder {
  readonly what: CorrectionKind;
  readonly of: CorrectionOf;
  /** Tiyin. */
  readonly amount: bigint;
  readonly reason: string;
}

export interface Correction {
  readonly id: CorrectionId;
  readonly what: CorrectionKind;
  readonly class: string;
  readonly owner: string | null;
  readonly rail: RailId | null;
  readonly amount: bigint;
  readonly reason: string;
  readonly state: CorrectionState;
  readonly version: number;
  readonly askedBy: Hand;
  readonly askedAt: Date;
  readonly endedBy: Hand | null;
  readonly endedAt: Date | null;
  /** Its transfer in the ledger, once agreed. */
  readonly n: bigint | null;
}

export type CorrectionActed = { readonly ok: true } | { readonly ok: false; readonly refusal: MoneyRefusal };

export interface Corrections {
  /** `personId` of the request: the member of staff. */
  readonly ask: (
    request: MoneyRequest,
    order: CorrectionOrder,
    as: KeptAs<{ readonly id: CorrectionId; readonly version: number }>,
  ) => Promise<AnsweredRequest>;
  readonly agree: (
    id: CorrectionId,
    version: number,
    staffId: string,
    proofId: string,
  ) => Promise<CorrectionActed>;
  readonly withdraw: (
    id: CorrectionId,
    version: number,
    staffId: string,
    reason: string,
  ) => Promise<CorrectionActed>;
  /** Newest first. */
  readonly list: (state: CorrectionState | null, order: PageOrder) => Promise<Page<Correction>>;
  readonly find: (id: CorrectionId) => Promise<Correction | null>;
}
