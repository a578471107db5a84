import type { DeviceId } from '../device/device.ts';
import type { PersonId } from '../person/person.ts';
import type { Locale } from '../../shared/locale.ts';
import type { RecipientId } from '../recipient/recipient.ts';
import type { PushAsker, PushStanding } from './push-limits.ts';

/** What a person is told on their own devices and chats. */
export type NoticeKind =
  | 'challenge'
  | 'device-bound'
  | 'device-revoked'
  | 'chat-bound'
  | 'lock-lifted'
  | 'rotate';

/**
 * Older ones are told to nobody: `message` was off, or stood still, and a "new device" of long ago would be taken for one of today.
 * A week outlasts any outage that is being worked on.
 */
export const NOTICE_AGE_MAX_MS = 7 * 24 * 60 * 60 * 1_000;

/** Something that a person must be told of, with all that tells how. */
export interface Notice {
  readonly id: string;
  readonly kind: NoticeKind;
  /** The challenge or the device that it is about; the person where it is neither. */
  readonly subjectId: string;
  readonly personId: PersonId;
  /** When it happened. */
  readonly at: Date;
  readonly locale: Locale;
  /** Their devices that can be pushed to, as it happened: each is a recipient of Navbat's own project. */
  readonly devices: readonly { readonly id: DeviceId; readonly recipientId: RecipientId }[];
  /** Telegram ids, decimal. */
  readonly chats: readonly string[];
  /** Of a challenge: null where nobody waits for its answer any more. */
  readonly challenge: { readonly expiresAt: Date; readonly asker: PushAsker } | null;
  readonly pushes: PushStanding;
}

/** What became of the push of a challenge. */
export type Pushed = 'sent' | 'paused' | 'limited' | 'unreachable';

export interface Announced {
  readonly id: string;
  /** Null for what is no challenge, or waits for no answer any more. */
  readonly pushed: Pushed | null;
}

/** Notices that were committed beside what they tell of. */
export interface Notices {
  /**
   * Hands over what waits, at most `limit`, held so that no other process has it in hand, nor anything of the same person; and
   * records what `announce` answers in the commit that lets go of it.
   *
   * @returns how many there were.
   */
  takeDue(
    limit: number,
    now: Date,
    announce: (notices: readonly Notice[]) => Promise<readonly Announced[]>,
  ): Promise<number>;
}
