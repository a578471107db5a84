import { z } from 'zod';
import type { Locale } from '../../shared/locale.ts';
import type { Phone } from '../../shared/phone.ts';

export const RecipientId = z.uuid().brand<'RecipientId'>();
export type RecipientId = z.infer<typeof RecipientId>;

/** A project's own handle to a person or to an address that it gave. No project sees another's. */
export interface RecipientView {
  readonly id: RecipientId;
  /** The project's own name for this person. */
  readonly handle: string | null;
  readonly phone: string | null;
  readonly telegramChatId: number | null;
  /** The person blocked the bot; a new chat id clears it. */
  readonly telegramBlockedAt: Date | null;
  /** The token itself is encrypted and never shown. */
  readonly hasPushToken: boolean;
  readonly locale: Locale | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What is known of a recipient: an absent field stays as it is, null takes it away. */
export interface RecipientChange {
  readonly handle?: string | null | undefined;
  readonly phone?: Phone | null | undefined;
  readonly telegramChatId?: number | null | undefined;
  readonly pushToken?: string | null | undefined;
  readonly locale?: Locale | null | undefined;
}

/** The recipient that stands for the chat of somebody who registered: it keeps that chat, whatever its project says. */
export const isChatHandle = (handle: string): boolean => /^(test:)?telegram:/.test(handle);
