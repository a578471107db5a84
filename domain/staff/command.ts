import type { JobCommand, QueueCommand } from '../job/define-job.ts';
import type { FinalState } from '../job/job.ts';
import type { StaffOpening } from '../telegram/chat.ts';
import type { JobId } from '../shared/ids.ts';
import type { JobFilter } from './ops.ts';
import type { StaffMember } from './port.ts';

/** Ends that another try may turn. Completed has been done, and cancelled was somebody's will. */
export const retriableStates = ['rejected', 'failed', 'expired'] as const satisfies readonly FinalState[];

/** Why a command was not carried out. Closed, so that each has its status and its sentence. */
export const commandRefusals = [
  'unknown-job',
  'kind-forbids',
  'not-retriable',
  'subject-closed',
  'already-finished',
] as const;
export type CommandRefusal = (typeof commandRefusals)[number];

/** `told` says whether the queue has heard it already; where Redis is away, the reconciler brings it there later. */
export type CommandResult =
  | { readonly done: true; readonly told: boolean }
  | { readonly done: false; readonly reason: CommandRefusal };

/** Jobs that one run of a filtered retry takes at most: about ten seconds of work, and a slip that can be looked over. */
export const RETRY_RUN_MAX = 10_000;

export interface RetryPreview {
  /** Finished jobs that the filter finds. */
  readonly matching: number;
  /** Of those, jobs that a retry can help and whose subject still waits for them. */
  readonly retriable: number;
  /** Not among them: a retry by itself cannot help (`permanentReasons`). Staff choose their reason by name. */
  readonly permanent: number;
  readonly byReason: readonly {
    readonly state: string;
    readonly reason: string | null;
    readonly jobs: number;
    readonly retriable: number;
    readonly isPermanent: boolean;
  }[];
}

export interface RetryRun {
  /** On every audit row of this run. */
  readonly runId: string;
  readonly retried: number;
  /** The bound of one run was reached: there may be more. */
  readonly more: boolean;
  readonly told: boolean;
}

/** Each command is one commit: the row, its outbox entry and its audit row. The queue hears of it after that. */
export interface StaffCommands {
  job(command: JobCommand, id: JobId, by: StaffMember, now: Date): Promise<CommandResult>;
  /** `why` stands in the audit, and with a pause on every page until it ends. */
  queue(
    command: QueueCommand,
    kind: string,
    by: StaffMember,
    why: string | null,
    now: Date,
  ): Promise<CommandResult>;
  /** What Telegram closed. `why` stands in the audit. */
  openChat(chatId: string, by: StaffMember, why: string, now: Date): Promise<StaffOpening>;
  previewRetry(filter: JobFilter, now: Date): Promise<RetryPreview>;
  retryAll(filter: JobFilter, by: StaffMember, now: Date): Promise<RetryRun>;
}
