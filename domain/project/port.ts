import type { ProjectId } from '../job/job.ts';
import type { Caller } from './caller.ts';
import type { KeyOrder, KeyRefusal, KeyView, ProjectView } from './project.ts';

/** What is known of a key that was presented. */
export type KnownKey =
  | { readonly known: true; readonly caller: Caller; readonly expiresAt: Date | null }
  | { readonly known: false; readonly reason: 'unknown' | 'revoked' | 'archived' };

/** Finds who stands behind a key. Answers are remembered for some seconds, refusals too. */
export interface KeyDirectory {
  /** The remembered answer, without waiting; undefined where there is none. */
  recall(key: string): KnownKey | undefined;
  find(key: string): Promise<KnownKey>;
  /** Notes that the key was used; written later, with others. */
  used(keyId: string, at: Date): void;
}

export type ProjectCreated =
  | { readonly created: true; readonly project: ProjectView }
  | { readonly created: false; readonly reason: 'slug-taken'; readonly project: ProjectView };

/** `text` is the key itself, told this once. */
export type KeyCreated =
  | { readonly created: true; readonly key: KeyView; readonly text: string }
  | { readonly created: false; readonly reason: KeyRefusal | 'key-taken' | 'no-project' };

/** Projects, their settings and their keys. */
export interface Projects {
  create(slug: string, now: Date): Promise<ProjectCreated>;
  list(): Promise<ProjectView[]>;
  find(id: ProjectId): Promise<ProjectView | null>;
  findBySlug(slug: string): Promise<ProjectView | null>;
  /** Null where there is no such project. A change that does not fit `SettingsChange` throws. */
  changeSettings(id: ProjectId, change: Readonly<Record<string, unknown>>): Promise<ProjectView | null>;
  archive(id: ProjectId, now: Date): Promise<ProjectView | null>;

  /** Newest first, revoked and expired ones too. */
  keys(id: ProjectId): Promise<KeyView[]>;
  /** Makes a key, or takes `text` as one. */
  createKey(id: ProjectId, order: KeyOrder, now: Date, text?: string): Promise<KeyCreated>;
  /** The key of this text, whoever's it is. */
  ownerOf(text: string): Promise<{ readonly projectId: ProjectId; readonly key: KeyView } | null>;
  /** It opens nothing more within seconds. False where the project has no such key; a second time changes nothing. */
  revokeKey(id: ProjectId, keyId: string, now: Date): Promise<boolean>;
}
