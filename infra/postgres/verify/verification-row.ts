import type { KeyMode } from '../../../domain/project/key.ts';
import type { AskerKind } from '../../../domain/verify/asker.ts';
import type { SendCommand } from '../../../domain/verify/send-command.ts';
import type { Channel } from '../../../domain/verify/channel.ts';
import { VerificationId, JobId, ProjectId } from '../../../domain/shared/ids.ts';
import type { Payment } from '../../../domain/shared/payment.ts';
import type { Locale } from '../../../domain/shared/locale.ts';
import type { Verification, VerificationState } from '../../../domain/verify/verification.ts';

/** A row of `verification` as pg reads it. Its columns are held by check constraints, so that it is mapped and not parsed again. */
export interface VerificationRow {
  readonly id: string;
  readonly project_id: string;
  readonly recipient_id: string | null;
  readonly address_hash: Buffer;
  readonly phone: string | null;
  /** Under which name its sends are scored (`fraud.ts`). */
  readonly phone_prefix: string | null;
  readonly scored_ip: string | null;
  readonly scored_device: string | null;
  readonly client: SendCommand['client'];
  readonly purpose: string;
  readonly mode: KeyMode;
  readonly state: VerificationState;
  readonly code_kid: string;
  readonly code_generation: number;
  readonly code_length: number;
  readonly asked_by: AskerKind;
  /** A stranger at an address where a code of this number was right. */
  readonly asked_known: boolean;
  readonly checks_used: number;
  readonly checks_max: number;
  readonly check_by_to: boolean;
  readonly channels: Channel[];
  readonly locale: Locale;
  readonly payment: Payment | null;
  readonly metadata: Record<string, string> | null;
  readonly job_id: string;
  readonly sends: number;
  readonly ttl_seconds: number;
  readonly created_at: Date;
  readonly sent_at: Date;
  readonly expires_at: Date;
  readonly closed_at: Date | null;
}

export function toVerification(row: VerificationRow): Verification {
  return {
    id: row.id as VerificationId,
    projectId: row.project_id as ProjectId,
    purpose: row.purpose,
    mode: row.mode,
    state: row.state,
    codeKid: row.code_kid,
    codeGeneration: row.code_generation,
    codeLength: row.code_length,
    checksUsed: row.checks_used,
    checksMax: row.checks_max,
    channels: row.channels,
    locale: row.locale,
    payment: row.payment,
    jobId: row.job_id as JobId,
    sends: row.sends,
    ttlSeconds: row.ttl_seconds,
    createdAt: row.created_at,
    sentAt: row.sent_at,
    expiresAt: row.expires_at,
  };
}
