import type { ShownState } from '../identity/approval/port.ts';
import type { ProjectId } from '../shared/ids.ts';
import type { KeyMode } from '../project/key.ts';
import type { KeptBlock } from '../shared/reason.ts';
import type { AskerKind } from './asker.ts';
import type { SendCommand } from './send-command.ts';
import type { Destination } from '../shared/address.ts';
import type { CheckResult } from './check.ts';
import type { SmsChoice } from './sms-provider.ts';
import type { VerificationId } from '../shared/ids.ts';
import type { Verification } from './verification.ts';

/** One check of one code. */
export interface Check {
  readonly projectId: ProjectId;
  readonly mode: KeyMode;
  /**
   * By `id`, a purpose that is named must be the code's own. Of a stranger, who has shown its check token; a service checks
   * whatever its project has. By destination, a service checks what a service asked for.
   */
  readonly of:
    | { readonly id: string; readonly purpose: string | null; readonly by: AskerKind }
    | { readonly destination: Destination; readonly purpose: string };
  readonly code: string;
}

export interface Checks {
  /** Counts the check before it compares, in one statement; approves by compare-and-set. */
  check(check: Check): Promise<CheckResult>;
  /** A code lives for this destination and purpose, and its send did not allow checks by `to`. Counts nothing. */
  isByIdAlone(check: ByTo): Promise<boolean>;
}

export interface ByTo {
  readonly projectId: ProjectId;
  readonly mode: KeyMode;
  readonly destination: Destination;
  readonly purpose: string;
}

/** What `GET /otp/{id}` tells. */
export interface VerificationTimeline {
  readonly verification: Verification;
  readonly phone: string | null;
  readonly metadata: Record<string, string> | null;
  readonly closedAt: Date | null;
  /** What became of the push to Navbat's own app; null until the person approved for the project. */
  readonly approval: TimelineApproval | null;
  readonly jobs: readonly TimelineJob[];
}

export interface TimelineApproval {
  readonly state: ShownState;
  readonly answeredAt: Date | null;
}

export interface TimelineJob {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  /** Where its risk kept a paid message of it back. */
  readonly block: KeptBlock | null;
  readonly accepted_at: Date;
  readonly finished_at: Date | null;
  readonly attempts: readonly TimelineAttempt[];
}

export interface TimelineAttempt {
  readonly n: number;
  readonly channel: string;
  readonly provider: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly provider_reference: string | null;
  /** Integer of 10^-6 of the currency's unit, as a string. */
  readonly cost_micros: string | null;
  readonly cost_currency: string | null;
  readonly parts: number | null;
  /** In the provider's own currency. */
  readonly price_micros: string | null;
  readonly price_currency: string | null;
  readonly chosen: SmsChoice | null;
  readonly chosen_after: string | null;
  readonly latency_ms: number | null;
  readonly delivery: string | null;
  readonly delivery_reason: string | null;
  readonly delivery_at: Date | null;
  readonly opened_at: Date;
  readonly closed_at: Date | null;
}

export interface Verifications {
  /** Null when there is none of that id in the project. */
  timeline(projectId: ProjectId, mode: KeyMode, id: string): Promise<VerificationTimeline | null>;
  /** Ends a live verification and its job; false when it is not live. */
  cancel(projectId: ProjectId, mode: KeyMode, id: string): Promise<'cancelled' | 'not-live' | 'unknown'>;
  /** What a resend of it needs to be asked for again. */
  resendOf(projectId: ProjectId, mode: KeyMode, id: string): Promise<ResendFacts | null>;
}

export interface ResendFacts {
  readonly id: VerificationId;
  readonly destination: Destination;
  readonly verification: Verification;
  readonly askedBy: AskerKind;
  /** As the service last told of them. */
  readonly client: SendCommand['client'];
  readonly checkByTo: boolean;
}
