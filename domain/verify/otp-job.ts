import type { z } from 'zod';
import type { Decision } from '../job/decision.ts';
import type { JobState } from '../job/job.ts';
import type { JobId, ProjectId } from '../shared/ids.ts';
import type { otpSend } from './job.ts';
import type { PaidAsker } from './asker.ts';
import type { Channel } from './channel.ts';
import type { RiskFactor } from './fraud.ts';
import type { DayBudget } from './paid-limits.ts';
import type { Addresses } from './port.ts';
import type { SmsProvider } from './sms-provider.ts';
import type { PastAttempt } from './step.ts';
import type { Verification } from './verification.ts';
import type { CodeEndReason, RefusalReason } from './reasons.ts';

/** A job of `otp-send` with all that its next step depends on. */
export interface OtpJob {
  readonly id: JobId;
  readonly projectId: ProjectId;
  /** Its queue is paused by the row that outlives Redis: a wiped queue runs until the reconciler has paused it again. */
  readonly paused: boolean;
  readonly finished: boolean;
  readonly state: JobState;
  readonly reason: string | null;
  readonly attemptsMade: number;
  readonly runAt: Date;
  readonly requestId: string | null;
  /** Null when what stands in the row no longer parses. */
  readonly payload: z.infer<typeof otpSend.payload> | null;
  readonly verification: Verification;
  readonly askedBy: PaidAsker;
  readonly addressHash: Uint8Array;
  /** Under which names its sends are scored (`fraud.ts`). */
  readonly scored: ScoredNames;
  /** The service vouches for the client. */
  readonly isTrusted: boolean;
  readonly recipientId: string | null;
  readonly addresses: Addresses;
  readonly past: readonly PastAttempt[];
  /** Providers that may have sent an SMS of earlier sends of this verification. */
  readonly smsUsedBefore: ReadonlySet<SmsProvider>;
  /** When the attempt that stands open was opened; null where none does. */
  readonly openSince: Date | null;
}

export interface OtpJobs {
  /** Null when there is no such job. */
  read(id: JobId): Promise<OtpJob | null>;
  /** The app was removed. A token that was set meanwhile stays. */
  forgetPushToken(recipientId: string, pushToken: string): Promise<void>;
}

export type ScoredNames = Readonly<Record<RiskFactor, string | null>>;

/** Why a message that costs money is not sent: each may end its job. */
export type PaidRefusal = Extract<RefusalReason, CodeEndReason>;

/** Money and protection of a paid message, checked and booked in one commit with the opening of its attempt. */
export interface PaidOpening {
  readonly jobId: JobId;
  readonly n: number;
  readonly channel: Channel;
  readonly provider: string;
  readonly providerReference?: string | undefined;
  readonly chosen?: string | undefined;
  readonly chosenAfter?: string | undefined;
  /** A message of this send was paid for before it: the same code by another way, which is scored and blocked with that one. */
  readonly isLater: boolean;
  readonly projectId: ProjectId;
  readonly addressHash: Uint8Array;
  readonly scored: ScoredNames;
  readonly isTrusted: boolean;
  readonly askedBy: PaidAsker;
  readonly budget: DayBudget;
  /** 10^-6 USD, reserved until the provider says what it took. */
  readonly reservedMicros: number;
}

export interface PaidAttempts {
  /** Opens the attempt, or says why this message may not be paid for; `lost` as in `JobStore.open`. */
  open(opening: PaidOpening): Promise<Decision<{ opened: 'opened' | 'lost' }, PaidRefusal>>;
}
