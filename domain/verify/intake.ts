import type { Refused } from '../job/decision.ts';
import type { RefusalReason } from './reasons.ts';
import type { Destination } from '../shared/address.ts';
import type { JobId } from '../shared/ids.ts';
import type { Caller } from '../project/caller.ts';
import type { Asker } from './asker.ts';
import type { Channel } from './channel.ts';
import type { VerificationId } from '../shared/ids.ts';
import type { SendCommand } from './send-command.ts';

export interface SendOrder {
  readonly caller: Pick<Caller, 'projectId' | 'slug' | 'settings'>;
  readonly command: SendCommand;
  readonly asker: Asker;
  readonly destination: Destination;
  /** Same key and same hash: the first answer again. */
  readonly idempotency: { readonly key: string; readonly bodyHash: string } | null;
  readonly requestId: string;
  /** Sends this very verification again, or answers `closed` where it lives no more; a first send, or whatever lives, where absent. */
  readonly resendOf?: VerificationId;
}

export type SendAnswer =
  | {
      readonly kind: 'accepted';
      readonly id: VerificationId;
      readonly jobId: JobId;
      readonly resend: boolean;
      readonly channels: readonly Channel[];
      /** ISO 8601. */
      readonly expiresAt: string;
      /**
       * Two digits for the requester to show, which the person types on their device. Told wherever a push was asked for, device or
       * not; null where none was, and for test keys.
       */
      readonly number: string | null;
    }
  | ({ readonly kind: 'refused' } & Refused<RefusalReason>)
  | { readonly kind: 'closed' }
  /** The key was used with another body. */
  | { readonly kind: 'key-reused' };

export interface OtpIntake {
  /** Reads the facts, decides and writes verification, job and answer in one commit. `replayed`: nothing new happened. */
  accept(order: SendOrder): Promise<SendAnswer & { readonly replayed: boolean }>;
}
