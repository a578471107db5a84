import type { ProjectId } from '../../shared/ids.ts';
import type { Locale } from '../../shared/locale.ts';
import type { Page, PageOrder } from '../../shared/page.ts';
import type { RecipientChange, RecipientId, RecipientView } from './recipient.ts';

export type RecipientPut =
  | { readonly put: 'created' | 'changed'; readonly recipient: RecipientView }
  | { readonly put: 'conflict'; readonly field: ConflictField; readonly holder: RecipientHolder | null };

/** What another recipient has: `handle` of a name that is Navbat's own. */
export type ConflictField = 'phone' | 'handle' | 'telegram_chat_id' | 'push_token';

/** Who has it; null where two requests kept meeting each other. */
export interface RecipientHolder {
  readonly id: RecipientId;
  readonly handle: string | null;
}

export interface RecipientFilter {
  readonly handle?: string | undefined;
  readonly phone?: string | undefined;
}

/** The language in which a project writes to its recipient. */
export interface RecipientLanguages {
  /** @param locale null takes it away. One who was erased has none. */
  set(id: RecipientId, locale: Locale | null, now: Date): Promise<void>;
}

export interface Recipients {
  /**
   * Finds the recipient by handle or phone, and makes one where there is none. Repeating it changes nothing. What one handle has (phone,
   * chat, push token) never passes to another: numbers are recycled, and the next holder's codes must not reach the last one's chat.
   */
  put(projectId: ProjectId, change: RecipientChange, now: Date): Promise<RecipientPut>;
  list(projectId: ProjectId, filter: RecipientFilter, order: PageOrder): Promise<Page<RecipientView>>;
  find(projectId: ProjectId, id: RecipientId): Promise<RecipientView | null>;
  /** Erases the recipient, and the person's data on what was sent and is closed. False where there is none. */
  erase(projectId: ProjectId, id: RecipientId): Promise<boolean>;
}
