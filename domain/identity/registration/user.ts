import { z } from 'zod';
import type { ProjectId } from '../../shared/ids.ts';
import type { CodeDestination } from '../port.ts';
import type { Locale } from '../../shared/locale.ts';
import type { KeyMode } from '../../project/key.ts';

/** S4.32. */
export const REGISTRATION_CODE_SECONDS = 60;
export const REGISTRATION_CODE_DIGITS = 6;
const REGISTRATION_CODE = new RegExp(`^\\d{${REGISTRATION_CODE_DIGITS}}$`);
export const isRegistrationCode = (text: string): boolean => REGISTRATION_CODE.test(text);

/** Telegram promises that its ids fit into 52 bits. */
export const TelegramId = z.int().positive();

/** What shows that a phone is its person's: Telegram's own contact, a code by SMS, or nothing but a claim. */
export const phoneProofs = ['contact', 'sms', 'none'] as const;
export type PhoneProof = (typeof phoneProofs)[number];

/** One Telegram account in one project; a test key's people are its own. */
export interface Registrant {
  readonly projectId: ProjectId;
  readonly mode: KeyMode;
  readonly telegramId: number;
}

/** S4's user, in the project where they registered. */
export interface RegisteredUser {
  readonly id: number;
  /** E.164; null until the person gave it. */
  readonly phone: string | null;
  readonly phoneProof: PhoneProof;
  /** Their chat is proven. */
  readonly isVerified: boolean;
  /** The verification of their latest code was approved. */
  readonly isApproved: boolean;
  readonly verificationId: string | null;
  /** Where their codes go: the recipient that stands for their chat. */
  readonly destination: CodeDestination;
  readonly locale: Locale | null;
}
