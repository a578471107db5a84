import type { ProjectId } from '../shared/ids.ts';

/** What a person asks of their money, under an Idempotency-Key of their own. */
export interface MoneyRequest {
  readonly projectId: ProjectId;
  readonly personId: string;
  /** 1 to 255 visible signs. One that holds a card number is refused. */
  readonly key: string;
  /** SHA-256 of what is asked. */
  readonly bodyHash: Buffer;
  readonly at: Date;
}

/** What a route answers. A refusal by the business is an answer too, and is kept: 200 to 499. */
export interface MoneyAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** `repeated`: it was asked before, and moved nothing now. */
export type AnsweredRequest =
  | { readonly ok: true; readonly answer: MoneyAnswer; readonly repeated: boolean }
  | { readonly ok: false; readonly reason: 'idempotency-key-reused' | 'idempotency-key-is-card' };
