import type { Locale } from '../../shared/locale.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { Category } from './category.ts';
import type { Changer, Preferences, PreferencesChange } from './preferences.ts';

export interface RecipientPreferences {
  readonly projectId: ProjectId;
  readonly recipientId: string;
  readonly preferences: Preferences;
  /** Of the link to their page: a newer one closes those before it. */
  readonly linkVersion: number;
  /** Null where nobody changed anything yet. */
  readonly changedBy: Changer | null;
  readonly changedAt: Date | null;
}

/** Changes of one recipient wait for each other: what differs in both holds as the later one says. Null: no such recipient. */
export interface PreferencesStore {
  find(projectId: ProjectId, recipientId: string): Promise<RecipientPreferences | null>;
  /** @throws PersonsWish where a project would take back what the person said themselves. */
  change(
    projectId: ProjectId,
    recipientId: string,
    change: PreferencesChange,
    by: Changer,
    now: Date,
  ): Promise<RecipientPreferences | null>;
  /** Closes every link to the page that was given out. */
  renewLink(projectId: ProjectId, recipientId: string): Promise<RecipientPreferences | null>;
}

/** What a person sees behind their link. */
export interface PreferencesDoor extends RecipientPreferences {
  readonly projectName: string;
  readonly locale: Locale;
  readonly categories: readonly Category[];
}

/** The person's own way in: who holds the link is who it was given to. */
export interface PreferencesDoors {
  /** Null for a link that opens nothing, or nothing any more. */
  open(token: string): Promise<PreferencesDoor | null>;
}

export interface PreferencesLinks {
  /** Unguessable, and the same until it is renewed. */
  urlOf(of: Pick<RecipientPreferences, 'projectId' | 'recipientId' | 'linkVersion'>): string;
}
