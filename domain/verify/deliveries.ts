import type { JobId } from '../shared/ids.ts';
import type { ListedReport } from './callback.ts';
import type { DeliveryReport } from './port.ts';

export interface AttemptReport {
  readonly jobId: string;
  /** The attempt's number. */
  readonly attempt: number;
  readonly provider: string;
  /** The provider's own id of the message: kept where its answer, which told it, was lost. */
  readonly reference: string;
  readonly report: DeliveryReport;
}

export interface Deliveries {
  /** `wake`: the job waits for this and is due now. A refund goes back to the project's budget, once. */
  record(report: AttemptReport): Promise<'recorded' | 'wake' | 'unknown-attempt'>;
  /**
   * As `record`, of a provider whose message ids are ours: its reports name no attempt. Each is recorded by itself, and the answer says of
   * each what became of it.
   */
  recordListed(provider: string, reports: readonly ListedReport[]): Promise<readonly ListedDelivery[]>;
}

export type ListedDelivery =
  | { readonly kind: 'recorded' | 'unknown-attempt' }
  | { readonly kind: 'wake'; readonly jobId: JobId }
  /** Not recorded: it may be told again. */
  | { readonly kind: 'failed'; readonly error: unknown };
