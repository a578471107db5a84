import type { Page, PageOrder } from '../shared/page.ts';
import type { ProjectId, JobId } from '../shared/ids.ts';
import type { AttemptOutcome, EntryLabels, JobState } from './job.ts';

export interface JobView {
  readonly id: JobId;
  readonly kind: string;
  readonly state: JobState;
  readonly reason: string | null;
  /** The domain row that it serves, such as a verification. */
  readonly subjectId: string;
  readonly labels: EntryLabels;
  readonly attemptCount: number;
  readonly runAt: Date;
  readonly deadlineAt: Date;
  readonly acceptedAt: Date;
  readonly finishedAt: Date | null;
  readonly requestId: string | null;
}

export interface AttemptView {
  /** From 1. */
  readonly n: number;
  readonly channel: string | null;
  readonly provider: string;
  /** Null while it runs. */
  readonly outcome: AttemptOutcome | null;
  readonly reason: string | null;
  readonly providerReference: string | null;
  readonly costMicros: string | null;
  readonly costCurrency: string | null;
  /** As how many messages it was billed. */
  readonly parts: number | null;
  /** In the provider's own currency. */
  readonly priceMicros: string | null;
  readonly priceCurrency: string | null;
  /** Why this provider of several. */
  readonly chosen: string | null;
  /** Why what was tried before it did not do. */
  readonly chosenAfter: string | null;
  readonly latencyMs: number | null;
  /** What the provider said, made safe. */
  readonly providerMessage: string | null;
  /** What the provider's callbacks said later. */
  readonly delivery: string | null;
  readonly deliveryReason: string | null;
  readonly deliveryAt: Date | null;
  readonly openedAt: Date;
  readonly closedAt: Date | null;
}

export interface JobFilter {
  readonly kind?: string | undefined;
  readonly state?: JobState | undefined;
  /** Accepted at or after. */
  readonly from?: Date | undefined;
  /** Accepted before. */
  readonly to?: Date | undefined;
  /** A phone in E.164, or the id of a recipient of the project. */
  readonly recipient?: { readonly phone: string } | { readonly id: string } | undefined;
}

/** A project as a key sees it: jobs that keys of the other mode asked for are not there. */
interface OwnMode {
  readonly projectId: ProjectId;
  readonly mode: 'live' | 'test';
}

/** What a project may read of its own jobs. A payload is never among it. */
export interface JobReader {
  find(
    project: OwnMode,
    id: JobId,
  ): Promise<{ readonly job: JobView; readonly attempts: readonly AttemptView[] } | null>;
  list(project: OwnMode, filter: JobFilter, order: PageOrder): Promise<Page<JobView>>;
}
