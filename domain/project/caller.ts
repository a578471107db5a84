import type { ProjectId } from '../shared/ids.ts';
import type { KeyAccess, KeyMode, KeyScope } from './key.ts';
import type { ProjectSettings } from './settings.ts';

/** Who stands behind an API key. */
export interface Caller {
  readonly keyId: string;
  readonly access: KeyAccess;
  readonly mode: KeyMode;
  readonly scopes: readonly KeyScope[];
  readonly projectId: ProjectId;
  readonly slug: string;
  readonly settings: ProjectSettings;
  /** Of a publishable key: whose pages may use it. */
  readonly allowedOrigins?: readonly string[];
}
