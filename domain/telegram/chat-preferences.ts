import type { Locale } from '../shared/locale.ts';
import type { ButtonPress } from './button.ts';

/** A project that has a chat in a recipient, with the address of that recipient's preferences page. */
export interface ChatProject {
  readonly name: string;
  readonly url: string;
}

/** What was switched off by a button under a message. */
export interface Stopped {
  readonly project: string;
  readonly category: string;
  readonly url: string;
  /** The recipient's language; the project's where it is not known. */
  readonly locale: Locale;
}

/** What a person may do about messages in their own chat with the bot. */
export interface ChatPreferences {
  /** Newest first, a page at a time; `page` from 1. */
  projectsOf(
    telegramId: number,
    page: number,
  ): Promise<{ readonly projects: readonly ChatProject[]; readonly more: boolean }>;
  /** Null for a button that switches nothing off. Safe to repeat. */
  stop(press: ButtonPress, now: Date): Promise<Stopped | null>;
}
