import { z } from 'zod';
import type { ProjectId } from '../shared/ids.ts';
import { ACTIVE_KEYS_MAX, KEYS_MADE_MAX, type KeyAccess, type KeyMode, type KeyScope } from './key.ts';
import type { ProjectCeilings } from './ceilings.ts';
import type { ProjectSettings } from './settings.ts';

/** A project's name in URLs, labels and on a command line. */
export const Slug = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, 'expected 1 to 40 of a-z 0-9 and -, no - at either end');

export interface ProjectView {
  readonly id: ProjectId;
  readonly slug: string;
  readonly settings: ProjectSettings;
  readonly ceilings: ProjectCeilings;
  readonly createdAt: Date;
  /** Its keys open nothing from then on. */
  readonly archivedAt: Date | null;
}

export interface KeyView {
  readonly id: string;
  readonly access: KeyAccess;
  readonly mode: KeyMode;
  readonly name: string | null;
  /** The last four characters. */
  readonly hint: string;
  readonly scopes: readonly KeyScope[];
  /** Web origins whose pages may use it; always none for a secret key. */
  readonly allowedOrigins: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
}

export interface KeyOrder {
  readonly name?: string | null;
  readonly access: KeyAccess;
  readonly mode: KeyMode;
  /** Ignored for a publishable key, which has `public` and nothing else. */
  readonly scopes: readonly KeyScope[];
  readonly expiresAt: Date | null;
  readonly allowedOrigins?: readonly string[];
  /** The member of staff who stands behind it; of a key that another key makes, who stands behind that. */
  readonly createdBy?: string | null;
}

/** What of a key may change; what is absent stays. */
export interface KeyChange {
  readonly name?: string | null | undefined;
  readonly allowedOrigins?: readonly string[] | undefined;
}

/** A service that sends codes and looks after its recipients; `projects` (settings and keys) is asked for by name. */
export const SCOPES_DEFAULT: readonly KeyScope[] = ['otp', 'jobs', 'recipients'];

export type KeyRefusal = 'too-many-active' | 'too-many-made' | 'already-expired';
export type KeyDecision =
  | { readonly kind: 'accepted'; readonly scopes: readonly KeyScope[] }
  | { readonly kind: 'refused'; readonly reason: KeyRefusal };

/** May the project have this key beside those it has? A few of a sort are active at a time. */
export function decideKey(order: KeyOrder, keys: readonly KeyView[], now: Date): KeyDecision {
  if (order.expiresAt !== null && order.expiresAt <= now)
    return { kind: 'refused', reason: 'already-expired' };
  if (keys.length >= KEYS_MADE_MAX) return { kind: 'refused', reason: 'too-many-made' };
  const sameSort = keys.filter(
    (key) => key.access === order.access && key.mode === order.mode && isActive(key, now),
  );
  if (sameSort.length >= ACTIVE_KEYS_MAX) return { kind: 'refused', reason: 'too-many-active' };
  return {
    kind: 'accepted',
    scopes: order.access === 'publishable' ? ['public'] : [...new Set(order.scopes)],
  };
}

/** What a key can do, for the comparison of two. */
export type KeyPowers = Pick<KeyView, 'access' | 'mode' | 'scopes' | 'expiresAt' | 'revokedAt'>;

/**
 * May this key make that one? Not one that reaches further, that sends where its maker only tests, or that lasts longer: whoever
 * holds a key for a day must not make one for ever.
 */
export function mayGrant(maker: KeyPowers, order: KeyOrder, now: Date): boolean {
  if (!isActive(maker, now) || !holdsAllOf(maker, order)) return false;
  return maker.expiresAt === null || (order.expiresAt !== null && order.expiresAt <= maker.expiresAt);
}

/** May this key revoke that one? Not one that can do more than itself: it would take from its project what it can't give. */
export const mayRevoke = (maker: KeyPowers, key: KeyPowers, now: Date): boolean =>
  isActive(maker, now) && holdsAllOf(maker, key);

/**
 * Would this leave its project without a key that manages keys and can do all that this one can, for as long? Then only staff
 * could give it one again.
 */
export const isLastFullKey = (key: KeyView, keys: readonly KeyView[], now: Date): boolean =>
  isActive(key, now) &&
  key.scopes.includes('projects') &&
  key.mode === 'live' &&
  !keys.some(
    (other) => other.id !== key.id && isActive(other, now) && holdsAllOf(other, key) && outlasts(other, key),
  );

const outlasts = (other: KeyPowers, key: KeyPowers) =>
  other.expiresAt === null || (key.expiresAt !== null && other.expiresAt >= key.expiresAt);

/** A secret key reaches whatever a publishable one does. */
function holdsAllOf(
  holder: Pick<KeyView, 'access' | 'mode' | 'scopes'>,
  key: Pick<KeyView, 'access' | 'mode' | 'scopes'>,
): boolean {
  if (holder.access !== 'secret' || (holder.mode === 'test' && key.mode === 'live')) return false;
  return (
    key.access === 'publishable' ||
    key.scopes.every((scope) => scope === 'public' || holder.scopes.includes(scope))
  );
}

export function isActive(key: Pick<KeyView, 'revokedAt' | 'expiresAt'>, now: Date): boolean {
  return key.revokedAt === null && (key.expiresAt === null || key.expiresAt > now);
}

/** As the API and the command line write it. */
export const keyJson = (key: KeyView) => ({
  id: key.id,
  name: key.name,
  access: key.access,
  mode: key.mode,
  hint: key.hint,
  scopes: key.scopes,
  allowed_origins: key.allowedOrigins,
  created_at: key.createdAt,
  expires_at: key.expiresAt,
  revoked_at: key.revokedAt,
  last_used_at: key.lastUsedAt,
});
