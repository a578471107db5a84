import type { ProjectId } from '../shared/ids.ts';
import type { Caller } from './caller.ts';
import type { AboveCeiling, BoundedSetting, ProjectRows } from './ceilings.ts';
import type { KeyMode } from './key.ts';
import type { KeyChange, KeyOrder, KeyRefusal, KeyView, ProjectView } from './project.ts';

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
  | { readonly created: false; readonly reason: KeyRefusal | 'key-taken' | 'no-project' | 'beyond-maker' };

export type SettingsChanged =
  | { readonly changed: true; readonly project: ProjectView }
  | { readonly changed: false; readonly reason: 'no-project' | 'name-reserved' }
  | { readonly changed: false; readonly reason: 'above-ceiling'; readonly above: readonly AboveCeiling[] };

/** `lowered`: settings that came down with a ceiling. */
export interface CeilingsChanged {
  readonly project: ProjectView;
  readonly lowered: readonly BoundedSetting[];
}

export type KeyChanged =
  | { readonly changed: true; readonly key: KeyView }
  | { readonly changed: false; readonly reason: 'no-key' | 'beyond-maker' | 'secret-key' };

export type KeyRevoked = 'revoked' | 'no-key' | 'beyond-maker' | 'last-full-key';

/** Projects, their settings and their keys. */
export interface Projects {
  create(slug: string, now: Date): Promise<ProjectCreated>;
  list(): Promise<ProjectView[]>;
  find(id: ProjectId): Promise<ProjectView | null>;
  findBySlug(slug: string): Promise<ProjectView | null>;
  /**
   * A change that does not fit `SettingsChange` throws. A `display_name` that reads as Navbat's own, or as another project's, is
   * staff's to give: `lookAlike`.
   */
  changeSettings(
    id: ProjectId,
    change: Readonly<Record<string, unknown>>,
    how?: { readonly lookAlike: boolean },
  ): Promise<SettingsChanged>;
  /** For staff alone. Null where there is no such project. A change that does not fit `CeilingsChange` throws. */
  changeCeilings(id: ProjectId, change: Readonly<Record<string, unknown>>): Promise<CeilingsChanged | null>;
  /** What of its ceilings is used now. */
  rows(id: ProjectId): Promise<ProjectRows>;
  archive(id: ProjectId, now: Date): Promise<ProjectView | null>;

  /** Newest first, revoked and expired ones too. */
  keys(id: ProjectId): Promise<KeyView[]>;
  /** Staff make a key, or take `text` as one. */
  createKey(id: ProjectId, order: KeyOrder, now: Date, text?: string): Promise<KeyCreated>;
  /** A key makes one that can do no more, and lasts no longer, than itself. */
  createKeyBy(makerId: string, id: ProjectId, order: KeyOrder, now: Date): Promise<KeyCreated>;
  /** The key of this text, whoever's it is. */
  ownerOf(text: string): Promise<{ readonly projectId: ProjectId; readonly key: KeyView } | null>;
  /** Staff revoke it: it opens nothing more within seconds. False where the project has no such key; a second time changes nothing. */
  revokeKey(id: ProjectId, keyId: string, now: Date): Promise<boolean>;
  /** The same by a key, which revokes none that can do more than itself, and never the last that can do all it does. */
  revokeKeyBy(makerId: string, id: ProjectId, keyId: string, now: Date): Promise<KeyRevoked>;
  /** Changes a key for staff, or by a key (`makerId`) that can do all that it does. `secret-key`: no page may hold one. */
  changeKey(
    makerId: string | null,
    id: ProjectId,
    keyId: string,
    change: KeyChange,
    now: Date,
  ): Promise<KeyChanged>;
}

/** Keeps projects within the rows that their ceilings grant. */
export interface RowGuard {
  /**
   * Does `work`, which makes so many rows, where they are within the project's ceilings. `made` says how many there are of it.
   *
   * @throws CeilingReached before `work` begins.
   */
  within<T>(
    of: { readonly projectId: ProjectId; readonly mode: KeyMode },
    rows: number,
    work: () => Promise<T>,
    made: (done: T) => number,
  ): Promise<T>;
}
