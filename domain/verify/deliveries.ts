import type { JobId } from '../shared/ids.ts';
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
  /** As `record`, of a provider whose message ids are ours: its report names no attempt. */
  recordListed(report: Omit<AttemptReport, 'jobId' | 'attempt'>): Promise<ListedDelivery>;
}

export type ListedDelivery =
  | { readonly kind: 'recorded' | 'unknown-attempt' }
  | { readonly kind: 'wake'; readonly jobId: JobId };
