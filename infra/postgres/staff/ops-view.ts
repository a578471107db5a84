import type { Pool } from 'pg';

/** What products add to staff's pages; the pages read the rows by their own schemas. Each part may be left out. */
export interface OpsView {
  /** Lines of the verifications that these jobs serve. */
  readonly verifications?: (pool: Pool, jobIds: readonly string[]) => Promise<readonly unknown[]>;
  /** Until when the numbers of the job's recipient are blocked; null where they are not. */
  readonly prefixBlockedUntil?: (pool: Pool, jobId: string, now: Date) => Promise<Date | null>;
  /** What is locked of an address (hex), by project. */
  readonly locks?: (pool: Pool, address: string, now: Date) => Promise<readonly unknown[]>;
}
