import { z } from 'zod';
import type { DispatchState } from '../dispatch/dispatch.ts';
import type { Page, PageOrder } from '../../shared/page.ts';
import type { BatchId, RailId } from '../ids.ts';
import type { MoneyRefusal } from '../refusals.ts';
import type { Hand } from './batches.ts';

/** A rail's switch, or that of all of them. */
export const SwitchId = z.enum(['all', 'multicard', 'bank-file']);
export type SwitchId = z.infer<typeof SwitchId>;

export interface RailView {
  readonly id: SwitchId;
  /** Null while it is open. */
  readonly stopped: {
    readonly at: Date;
    /** Null: it stopped itself. */
    readonly by: Hand | null;
    readonly reason: string;
    /** What a proof of opening it binds as `version`: this very stop. */
    readonly version: number;
    /** Who has asked to open it since, within a day, and waits for another. */
    readonly openAsked: { readonly by: Hand; readonly at: Date; readonly reason: string } | null;
  } | null;
  /** When it last told of our account; null: it was never asked. */
  readonly saidAt: Date | null;
  /** Since when it wants a one-time password for each payment; null: it does not, as far as we know. */
  readonly otpSince: Date | null;
  readonly exposureMax: number;
  /** Payments between their claim and a known end; those that wait; those that people look at. */
  readonly exposed: number;
  readonly waiting: number;
  readonly stuck: number;
}

/**
 * A payment that people look at: an order to a rail of cards that is stuck, or one payment of a bank’s file of which no statement has said
 * anything; the id is that of the payout then. Amount in tiyin.
 */
export interface DispatchView {
  readonly id: string;
  readonly batchId: BatchId;
  readonly rail: RailId;
  readonly amount: bigint;
  readonly items: number;
  /** `exported`: in a file for the bank. */
  readonly state: DispatchState;
  readonly reason: string | null;
  readonly version: number;
  readonly attempt: number;
  readonly reference: string | null;
  readonly railUuid: string | null;
  readonly stateAt: Date;
  /** What somebody says that became of it, and waits for another to agree. */
  readonly settleAsked: {
    readonly by: Hand;
    readonly at: Date;
    readonly outcome: 'paid' | 'failed';
    readonly evidence: string;
    /** Of all of it: what the proof of whoever agrees binds. */
    readonly hash: string;
  } | null;
}

export type Switched = { readonly ok: true } | { readonly ok: false; readonly refusal: MoneyRefusal };

/** What people do to rails and to payments that nobody could learn the end of. */
export interface Rails {
  readonly rails: () => Promise<readonly RailView[]>;
  readonly stop: (id: SwitchId, staffId: string, reason: string) => Promise<Switched>;
  readonly askOpen: (id: SwitchId, staffId: string, reason: string) => Promise<Switched>;
  readonly agreeOpen: (id: SwitchId, staffId: string, proofId: string) => Promise<Switched>;
  /** A page, the payments that were made first before the others. */
  readonly stuck: (order: PageOrder) => Promise<Page<DispatchView>>;
  readonly dispatch: (id: string) => Promise<DispatchView | null>;
  readonly askSettle: (
    id: string,
    staffId: string,
    outcome: 'paid' | 'failed',
    evidence: string,
  ) => Promise<Switched>;
  readonly agreeSettle: (
    id: string,
    staffId: string,
    outcome: 'paid' | 'failed',
    proofId: string,
  ) => Promise<Switched>;
}
