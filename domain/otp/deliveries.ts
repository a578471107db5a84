import type { DeliveryReport } from './port.ts';

export interface AttemptReport {
  readonly jobId: string;
  /** The attempt's number. */
  readonly attempt: number;
  readonly provider: string;
  readonly report: DeliveryReport;
}

export interface Deliveries {
  /** `wake`: the job waits for this and is due now. */
  record(report: AttemptReport): Promise<'recorded' | 'wake' | 'unknown-attempt'>;
}
