import type { DeviceId } from '../device/device.ts';
import type { ProjectId } from '../job/job.ts';
import type { KeyMode } from '../project/key.ts';
import type { RecipientId } from '../recipient/recipient.ts';
import type { PersonId } from './person.ts';
import type { SessionId, SignInMethod } from './session.ts';

/** A person proved themselves to a project a moment ago. */
export interface SignedIn {
  readonly personId: PersonId;
  readonly projectId: ProjectId;
  readonly mode: KeyMode;
  /** The project's own handle to them. */
  readonly recipientId: RecipientId;
  readonly method: SignInMethod;
  readonly deviceId: DeviceId | null;
  readonly userAgent: string | null;
}

/** What the person's client holds from now on. */
export interface Grant {
  readonly sessionId: SessionId;
  readonly recipientId: RecipientId;
  readonly accessToken: string;
  readonly refreshToken: string;
}

export interface Sessions {
  open(signedIn: SignedIn, now: Date): Promise<Grant>;
}
