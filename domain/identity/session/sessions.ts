import type { DeviceId } from '../device/device.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { Page, PageOrder } from '../../shared/page.ts';
import type { KeyMode } from '../../project/key.ts';
import type { RecipientId } from '../recipient/recipient.ts';
import type { PersonId } from '../person/person.ts';
import { SESSION_TOKEN_SECONDS, type SessionId, type SignInMethod } from './session.ts';

const DAY_SECONDS = 86_400;
/** NIST SP 800-63B-4 §2.1.3 lets no session of the first level go a month without a proof; here, without a sign of life. */
export const SESSION_IDLE_SECONDS = 30 * DAY_SECONDS;
/** Half a year, however busy: what was stolen and is kept alive ends too. */
export const SESSION_LIFE_SECONDS = 180 * DAY_SECONDS;
/**
 * A client whose answer was lost (a lift, a tunnel, a killed app) asks again, and gets the same successor until that was used once:
 * for as long as the lost access token would have lived. After that a token that was used is somebody's copy, and nobody can tell whose.
 */
export const REFRESH_RETRY_SECONDS = SESSION_TOKEN_SECONDS;
/** Browsers and phones of one person at one project; whoever signs in more often has lost the earlier ones. */
export const SESSIONS_MAX = 50;

/** Why a session is no more. */
export type SessionEnd = 'signed-out' | 'ended' | 'reused' | 'device-revoked' | 'superseded' | 'too-many';

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
  /** When they did, where that was not just now. */
  readonly provenAt?: Date;
}

/** What the person's client holds from now on. */
export interface Grant {
  readonly sessionId: SessionId;
  readonly recipientId: RecipientId;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** `reused`: a copy of it is about, and its session has ended for all who hold one. */
export type Refreshed =
  | { readonly refreshed: true; readonly grant: Grant }
  | { readonly refreshed: false; readonly because: 'ended' | 'reused' };

/** Whose sessions: those of a person at one project, or at all. */
export interface SessionOwner {
  readonly personId: PersonId;
  /** Null for Navbat's own app, which shows its person all of them. */
  readonly projectId: ProjectId | null;
}

export interface SessionView {
  readonly id: SessionId;
  readonly project: { readonly id: ProjectId; readonly name: string };
  readonly method: SignInMethod;
  readonly device: { readonly id: DeviceId; readonly name: string } | null;
  readonly userAgent: string | null;
  readonly createdAt: Date;
  readonly refreshedAt: Date;
  readonly expiresAt: Date;
}

export interface Sessions {
  open(signedIn: SignedIn, now: Date): Promise<Grant>;
  /** For one approval one session: asked again within `REFRESH_RETRY_SECONDS`, the same; null once it is under way. */
  openOnce(signedIn: SignedIn, verificationId: string, now: Date): Promise<Grant | null>;
  /** Takes a refresh token by compare-and-set, and gives the next; the same next until that was used, within `REFRESH_RETRY_SECONDS`. */
  refresh(refreshToken: string, now: Date): Promise<Refreshed>;
  /** Those that stand, newest first. */
  list(owner: SessionOwner, order: PageOrder, now: Date): Promise<Page<SessionView>>;
  /** False where the owner has no such session that stands. */
  end(owner: SessionOwner, id: string, because: SessionEnd, now: Date): Promise<boolean>;
}
