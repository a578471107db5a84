import type { ProjectId } from '../job/job.ts';
import type { Page, PageOrder } from '../page.ts';
import type { RecipientChange, RecipientId, RecipientView } from './recipient.ts';

export type RecipientPut =
  | { readonly put: 'created' | 'changed'; readonly recipient: RecipientView }
  /** The handle is one recipient's and the phone another's. */
  | { readonly put: 'conflict' };

export interface RecipientFilter {
  readonly handle?: string | undefined;
  readonly phone?: string | undefined;
}

export interface Recipients {
  /** Finds the recipient by handle or phone, and makes one where there is none. Repeating it changes nothing. */
  put(projectId: ProjectId, change: RecipientChange, now: Date): Promise<RecipientPut>;
  list(projectId: ProjectId, filter: RecipientFilter, order: PageOrder): Promise<Page<RecipientView>>;
  find(projectId: ProjectId, id: RecipientId): Promise<RecipientView | null>;
  /** Erases the recipient, and the person's data on what was sent and is closed. False where there is none. */
  erase(projectId: ProjectId, id: RecipientId): Promise<boolean>;
}
