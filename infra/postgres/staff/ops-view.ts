import type { Pool } from 'pg';
import type { KeptBlock } from '../../../domain/shared/reason.ts';

/** What products add to staff's pages; the pages read the rows by their own schemas. Each part may be left out. */
export interface OpsView {
  /** Lines of the verifications that these jobs serve. */
  readonly verifications?: (pool: Pool, jobIds: readonly string[]) => Promise<readonly unknown[]>;
  /** What still blocks a job that ended as blocked, and until when; null where nothing does. */
  readonly block?: (pool: Pool, jobId: string, now: Date) => Promise<KeptBlock | null>;
  /** Providers of what is sent: what our accounts hold, and what went wrong lately. */
  readonly accounts?: (pool: Pool, now: Date) => Promise<readonly unknown[]>;
  /** What of theirs somebody must look at now. */
  readonly alarms?: (pool: Pool, now: Date) => Promise<readonly unknown[]>;
  /** What is locked of an address (hex), by project. */
  readonly locks?: (pool: Pool, address: string, now: Date) => Promise<readonly unknown[]>;
}
