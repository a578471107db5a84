import { z } from 'zod';
import type { ProjectId } from '../../shared/ids.ts';
import type { KeyMode } from '../../project/key.ts';
import type { RecipientId } from '../recipient/recipient.ts';
import type { DeviceId } from '../device/device.ts';
import type { PersonId } from '../person/person.ts';

export const SessionId = z.uuid().brand<'SessionId'>();
export type SessionId = z.infer<typeof SessionId>;

/** X4's neighbour: short enough that what was stolen is stale before it is sold, long enough not to refresh at each screen. */
export const SESSION_TOKEN_SECONDS = 600;
/** What a stolen session must not do (bind a device, end others) asks for a proof of the person that is younger. */
export const FRESH_PROOF_SECONDS = 300;

/** How somebody proved who they are. `device` is a bound device that signed in with its own key. */
export const signInMethods = ['telegram', 'code', 'approval', 'device'] as const;
export type SignInMethod = (typeof signInMethods)[number];

/** Who stands behind an access token. */
export interface PersonCaller {
  readonly personId: PersonId;
  readonly sessionId: SessionId;
  /** The project they signed in to; `PLATFORM_PROJECT_ID` for Navbat's own app. */
  readonly projectId: ProjectId;
  readonly mode: KeyMode;
  /** What the project calls them: the pairwise `sub`. */
  readonly recipientId: RecipientId;
  /** The bound device whose session it is. */
  readonly deviceId: DeviceId | null;
  /** When the person last proved themselves in this session. */
  readonly authenticatedAt: Date;
  /** From then on the token that they show opens nothing. */
  readonly tokenEndsAt: Date;
}

/** `ended`: we signed it, and it opens nothing now (expired, or its session has ended). `forged`: we never signed it. */
export type TokenReading =
  | { readonly kind: 'valid'; readonly person: PersonCaller }
  | { readonly kind: 'ended' | 'forged' };

/** Reads an access token, and whether its session is still open. */
export interface PersonTokens {
  read(token: string, now: Date): Promise<TokenReading>;
}
