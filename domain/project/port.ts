import type { Caller } from './caller.ts';

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
