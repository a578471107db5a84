import type { BatchAct, BatchNow } from '../batch/port.ts';
import type { BatchId, PayoutId, RailId } from '../ids.ts';
import type { MoneyRefusal } from '../refusals.ts';

export type Acted = { readonly ok: true; readonly now: BatchNow } | Refused;
interface Refused {
  readonly ok: false;
  readonly refusal: MoneyRefusal;
}

/** What an approver has read of the batch. */
export type BatchRead = Pick<BatchNow, 'count' | 'total'> & { readonly contentHash: string };

/** What staff do with batches over HTTP: a refusal is an answer. */
export interface BatchActs {
  readonly create: (
    rail: RailId,
    name: string,
    staffId: string,
  ) => Promise<{ readonly ok: true; readonly id: BatchId } | Refused>;
  /** At most 5 000; all or none. */
  readonly add: (act: BatchAct, payouts: readonly PayoutId[]) => Promise<Acted>;
  readonly drop: (act: BatchAct, lines: readonly number[], reason: string | null) => Promise<Acted>;
  readonly submit: (act: BatchAct) => Promise<Acted>;
  readonly withdraw: (act: BatchAct, reason: string) => Promise<Acted>;
  readonly reject: (act: BatchAct, reason: string) => Promise<Acted>;
  readonly approve: (act: BatchAct, read: BatchRead, proofId: string) => Promise<Acted>;
  /** @param at null: now. */
  readonly run: (act: BatchAct, at: Date | null) => Promise<Acted>;
  readonly pause: (act: BatchAct, reason: string) => Promise<Acted>;
  readonly resume: (act: BatchAct) => Promise<Acted>;
  readonly cancelRest: (act: BatchAct, reason: string) => Promise<Acted>;
  readonly close: (act: BatchAct) => Promise<Acted>;
}
