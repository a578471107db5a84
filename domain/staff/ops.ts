import type { KeptBlock } from '../shared/reason.ts';
import { z } from 'zod';
import type { Alarm } from './alarms.ts';
import { attemptOutcomes, EntryLabels, jobStates } from '../job/job.ts';
import { JobId } from '../shared/ids.ts';
import type { JobState } from '../job/job.ts';

/** Hex of a recipient's keyed address hash: finds everything of one address and tells nobody which it is. */
export const AddressHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits')
  .brand<'AddressHash'>();
export type AddressHash = z.infer<typeof AddressHash>;

/** Windows that staff choose from, in hours: one scan of the job ids of that time. */
export const windowHours = [1, 6, 24, 72, 168] as const;
export type WindowHours = (typeof windowHours)[number];

/** Jobs accepted in a span of time, narrowed by what staff filled in. */
export interface JobFilter {
  readonly kind?: string | undefined;
  readonly states?: readonly JobState[] | undefined;
  /** A project's slug. */
  readonly project?: string | undefined;
  readonly address?: AddressHash | undefined;
  /** Exactly this reason; `none` for a job that has no reason. */
  readonly reason?: string | undefined;
  /** Part of the reason of a job or of one of its attempts, whatever the case; or its request id, or the end of its own id. */
  readonly text?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

/** How a reason that is null is written in a link. */
export const NO_REASON = 'none';

export const JobLine = z.object({
  id: JobId,
  kind: z.string(),
  project: z.string(),
  state: z.enum(jobStates),
  reason: z.string().nullable(),
  labels: EntryLabels,
  attempts: z.int(),
  acceptedAt: z.date(),
  runAt: z.date(),
  finishedAt: z.date().nullable(),
  /** An attempt is open: a worker is at it. */
  isOpen: z.boolean(),
});
export type JobLine = z.infer<typeof JobLine>;

export const AttemptLine = z.object({
  jobId: JobId,
  n: z.int(),
  channel: z.string().nullable(),
  provider: z.string(),
  outcome: z.enum(attemptOutcomes).nullable(),
  reason: z.string().nullable(),
  providerReference: z.string().nullable(),
  costMicros: z.string().nullable(),
  costCurrency: z.string().nullable(),
  parts: z.int().nullable(),
  priceMicros: z.string().nullable(),
  priceCurrency: z.string().nullable(),
  chosen: z.string().nullable(),
  chosenAfter: z.string().nullable(),
  latencyMs: z.int().nullable(),
  providerMessage: z.string().nullable(),
  openedAt: z.date(),
  closedAt: z.date().nullable(),
  delivery: z.string().nullable(),
  deliveryReason: z.string().nullable(),
  deliveryAt: z.date().nullable(),
});
export type AttemptLine = z.infer<typeof AttemptLine>;

/** A verification as staff may see it: nothing of it yields a code. */
export const VerificationLine = z.object({
  id: z.string(),
  project: z.string(),
  purpose: z.string(),
  mode: z.string(),
  state: z.string(),
  checksUsed: z.int(),
  checksMax: z.int(),
  channels: z.array(z.string()),
  createdAt: z.date(),
  expiresAt: z.date(),
  closedAt: z.date().nullable(),
});
export type VerificationLine = z.infer<typeof VerificationLine>;

export interface JobPage extends JobLine {
  readonly deadlineAt: Date;
  readonly requestId: string | null;
  readonly subjectId: string;
  /** Null where the address was erased or the kind has none. */
  readonly address: AddressHash | null;
  readonly attemptLines: readonly AttemptLine[];
  readonly verification: VerificationLine | null;
  /** What it is for still waits for it: a retry would be accepted. */
  readonly isAwaited: boolean;
  /** What still blocks it, where it ended as blocked; null where nothing does now. */
  readonly block: KeptBlock | null;
}

/** What happened to one address, oldest last. */
export type TimelineEvent =
  | {
      readonly kind: 'job';
      readonly at: Date;
      readonly job: JobLine;
      readonly event: 'accepted' | 'finished';
    }
  | {
      readonly kind: 'attempt';
      readonly at: Date;
      readonly attempt: AttemptLine;
      readonly event: 'opened' | 'closed' | 'delivery';
    }
  | {
      readonly kind: 'verification';
      readonly at: Date;
      readonly verification: VerificationLine;
      readonly event: 'created' | 'closed';
    };

export interface Recipient {
  readonly address: AddressHash;
  /** The projects that know this address, with their own handle for it. */
  readonly known: readonly {
    readonly project: string;
    readonly recipientId: string;
    readonly handle: string | null;
    /** Masked; null once it was erased. */
    readonly phone: string | null;
    readonly telegram: boolean;
    readonly telegramBlockedAt: Date | null;
    readonly push: boolean;
    readonly locale: string | null;
  }[];
  /** Projects in which too many wrong codes have locked it. */
  readonly locks: readonly DestinationLock[];
}

export const DestinationLock = z.object({ project: z.string(), lockedAt: z.date(), failedChecks: z.int() });
export type DestinationLock = z.infer<typeof DestinationLock>;

export interface Timeline {
  readonly events: readonly TimelineEvent[];
  /** Id of the oldest job on this page; null at the end. */
  readonly next: JobId | null;
}

export const KindCount = z.object({
  kind: z.string(),
  project: z.string(),
  state: z.enum(jobStates),
  jobs: z.int(),
});

export const QueueLine = z.object({
  kind: z.string(),
  pausedAt: z.date().nullable(),
  pausedBy: z.string().nullable(),
  pausedReason: z.string().nullable(),
});
export type QueueLine = z.infer<typeof QueueLine>;

export interface Overview {
  readonly at: Date;
  /** Every job that is not finished, counted in full. */
  readonly unfinished: readonly z.infer<typeof KindCount>[];
  /** Jobs accepted since `accepted.since`, by how they stand now. */
  readonly accepted: { readonly since: Date; readonly counts: readonly z.infer<typeof KindCount>[] };
  /** A job waits when it is due, for its first attempt or a further one, and no worker has opened it. */
  readonly waiting: readonly {
    readonly kind: string;
    readonly jobs: number;
    readonly oldestDueAt: Date | null;
    readonly oldestState: JobState | null;
  }[];
  readonly queues: readonly QueueLine[];
  /** Providers that are paid by the message. */
  readonly accounts: readonly AccountLine[];
  /** What somebody must look at now. */
  readonly alarms: readonly Alarm[];
}

/** One account at a provider. */
export const AccountLine = z.object({
  provider: z.string(),
  /** 10^-6 of the currency's unit; null where the provider tells none. */
  balanceMicros: z.string().nullable(),
  currency: z.string().nullable(),
  toldAt: z.date().nullable(),
  lowSince: z.date().nullable(),
  /** Why the balance could not be asked for, and since when. */
  balanceError: z.string().nullable(),
  balanceFailingSince: z.date().nullable(),
  /** Of the last hour: the newest error, and since when nothing was sent without one. */
  lastError: z.string().nullable(),
  lastErrorAt: z.date().nullable(),
  failingSince: z.date().nullable(),
});
export type AccountLine = z.infer<typeof AccountLine>;

export const FailureGroup = z.object({
  kind: z.string(),
  state: z.enum(jobStates),
  reason: z.string().nullable(),
  jobs: z.int(),
  projects: z.int(),
  lastAt: z.date(),
  exampleId: JobId,
});
export type FailureGroup = z.infer<typeof FailureGroup>;

export const AttemptFailureGroup = z.object({
  kind: z.string(),
  channel: z.string().nullable(),
  provider: z.string(),
  outcome: z.enum(attemptOutcomes),
  reason: z.string().nullable(),
  attempts: z.int(),
  jobs: z.int(),
  lastAt: z.date(),
  exampleId: JobId,
});
export type AttemptFailureGroup = z.infer<typeof AttemptFailureGroup>;

export interface Failures {
  readonly jobs: readonly FailureGroup[];
  readonly attempts: readonly AttemptFailureGroup[];
}

/** What staff read; all of it from Postgres, so that it holds whatever Redis has lost. */
export interface StaffQueries {
  overview(since: Date, now: Date): Promise<Overview>;
  /** Newest first; `after` is the id of the last line seen. */
  jobs(filter: JobFilter, limit: number, after: JobId | null): Promise<readonly JobLine[]>;
  job(id: JobId, now: Date): Promise<JobPage | null>;
  /** Whose id this may be: a job's, the verification's it serves, or a recipient's. */
  find(
    id: string,
  ): Promise<
    | { readonly kind: 'job'; readonly id: JobId }
    | { readonly kind: 'recipient'; readonly address: AddressHash }
    | null
  >;
  recipient(address: AddressHash, now: Date): Promise<Recipient>;
  timeline(address: AddressHash, limit: number, after: JobId | null): Promise<Timeline>;
  failures(filter: Pick<JobFilter, 'kind' | 'project'>, since: Date): Promise<Failures>;
  queues(): Promise<readonly QueueLine[]>;
  projects(): Promise<readonly string[]>;
}
