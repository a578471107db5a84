import type { FinalState } from '../../job/job.ts';
import type { JobId } from '../../shared/ids.ts';
import type { RailToken } from '../rail/port.ts';
import type { CallKind, Dispatch, Heard, Move, RailCall, UnpayableReason } from './dispatch.ts';

/** A call as the database numbers it. */
export interface NumberedCall extends RailCall {
  readonly n: number;
}

export interface OpenDispatch extends Dispatch {
  readonly id: string;
  /**
   * Counts changes of its state, attempt, commission, the rail's id and when it is next looked at: what was decided from an older one is not
   * done. Whoever claims it to ask the rail changes none of them; the rail's webhook, which has it looked at now, does.
   */
  readonly version: number;
  /** Tiyin. */
  readonly amount: bigint;
  readonly calls: readonly NumberedCall[];
}

/** A job of kind `payout`, with all that its next step depends on. */
export interface PayoutJob {
  readonly id: JobId;
  /** Null while it is unfinished. */
  readonly finished: FinalState | null;
  readonly reason: string | null;
  /** The queue is paused. */
  readonly paused: boolean;
  readonly attemptsMade: number;
  /** Null where another job has taken its place, or its payload can't be read. */
  readonly dispatch: OpenDispatch | null;
}

export interface Claim {
  readonly dispatch: OpenDispatch;
  readonly what: CallKind;
  /** Which one it asks about; of another call it is the newest. */
  readonly attempt: number;
}

export type Claimed =
  | {
      readonly kind: 'opened';
      readonly call: NumberedCall;
      readonly reference: string;
      /** Of a draft; null where it can't be decrypted. */
      readonly token: RailToken | null;
    }
  /** Another worker has it: read it again. */
  | { readonly kind: 'lost' }
  | ({ readonly kind: 'later'; readonly because: 'paused' | 'stopped' | 'full' } & LookFor)
  | ({ readonly kind: 'unpayable'; readonly because: UnpayableReason } & LookFor);

interface LookFor {
  /** An attempt that may have been paid, and is looked for before this dispatch is let go. Null: none. */
  readonly lookFor: number | null;
}

export interface MoveOrder {
  readonly dispatch: OpenDispatch;
  /** The call that ended, and what came of it; null where time decided. */
  readonly ended: { readonly call: NumberedCall; readonly heard: Heard; readonly kept: KeptAnswer } | null;
  readonly move: Move;
  /** Where the rail named the payment in it. */
  readonly railUuid: string | null;
  readonly commission: bigint | null;
}

/** What is kept of an answer: by this list, and nothing else. */
export interface KeptAnswer {
  readonly uuid?: string;
  readonly status?: string;
  /** Tiyin. */
  readonly amount?: string;
  readonly commission?: string;
  readonly total?: string;
  readonly paid_at?: string | null;
  /** The rail's word for a refusal. */
  readonly code?: string;
  readonly why?: string;
}

export type Moved =
  | { readonly kind: 'moved' }
  /** And the confirmation is open in the same commit. */
  | { readonly kind: 'confirming'; readonly call: NumberedCall }
  /** Somebody else has closed the call or moved the dispatch: nothing was changed. */
  | { readonly kind: 'lost' };

/** Each is batched with those of the other jobs in hand, and commits before it answers. */
export interface Dispatches {
  read(id: JobId): Promise<PayoutJob | null>;
  /** Opens a call: it is committed before it is made. */
  claim(claim: Claim): Promise<Claimed>;
  /** Closes the call, moves the dispatch, and the money with it. */
  move(order: MoveOrder): Promise<Moved>;
}

/** What keeps dispatches going. Each round is safe beside that of another process. */
export interface DispatchRounds {
  /** Makes dispatches of running batches, until so many wait; answers how many it made. */
  start(keep: number): Promise<number>;
  /** Gives a job to each open dispatch that has none; answers how many. */
  rejob(): Promise<number>;
  /** Ends the batches whose last line has its end; answers them. */
  finishBatches(): Promise<readonly string[]>;
}
