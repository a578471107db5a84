import { describe, expect, test } from 'vitest';
import type { KeyScope } from '../../../domain/project/key.ts';
import {
  decideKey,
  isActive,
  isLastFullKey,
  type KeyOrder,
  type KeyPowers,
  type KeyView,
  mayGrant,
  mayRevoke,
  Slug,
} from '../../../domain/project/project.ts';

const now = new Date('2026-01-15T10:00:00Z');
const later = (ms: number) => new Date(now.getTime() + ms);
const key = (more: Partial<KeyView> = {}): KeyView => ({
  id: 'k',
  name: null,
  access: 'secret',
  mode: 'live',
  hint: 'abcd',
  scopes: ['otp'],
  allowedOrigins: [],
  createdAt: now,
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
  ...more,
});

describe('a key may be made', () => {
  const order: KeyOrder = { access: 'secret', mode: 'live', scopes: ['otp', 'otp'], expiresAt: null };

  test('beside four of its sort, and not beside five', () => {
    const others = (count: number) => Array.from({ length: count }, () => key());
    expect(decideKey(order, others(4), now)).toEqual({ kind: 'accepted', scopes: ['otp'] });
    expect(decideKey(order, others(5), now)).toEqual({ kind: 'refused', reason: 'too-many-active' });
  });

  test('beside any number of another sort, revoked or expired', () => {
    const others = [
      ...Array.from({ length: 3 }, () => key()),
      key({ mode: 'test' }),
      key({ access: 'publishable' }),
      key({ revokedAt: now }),
      key({ expiresAt: now }),
    ];
    expect(decideKey(order, [...others, key({ expiresAt: later(1) })], now).kind).toBe('accepted');
  });

  test('to expire later, not now', () => {
    expect(decideKey({ ...order, expiresAt: now }, [], now)).toEqual({
      kind: 'refused',
      reason: 'already-expired',
    });
    expect(decideKey({ ...order, expiresAt: later(1) }, [], now).kind).toBe('accepted');
  });

  test('a publishable one has the scope public and no other', () => {
    expect(decideKey({ ...order, access: 'publishable' }, [], now)).toEqual({
      kind: 'accepted',
      scopes: ['public'],
    });
  });

  test('by a key that holds what it gives, and tests only where its maker does', () => {
    const maker = (mode: 'live' | 'test', scopes: KeyScope[]) => key({ mode, scopes });
    expect(mayGrant(maker('live', ['otp']), order, now)).toBe(true);
    expect(mayGrant(maker('live', ['jobs']), order, now)).toBe(false);
    expect(mayGrant(maker('test', ['otp']), order, now)).toBe(false);
    expect(mayGrant(maker('live', ['otp']), { ...order, mode: 'test' }, now)).toBe(true);
  });

  test('by a key that stands, and for no longer than it does', () => {
    const maker = (more: Partial<KeyView>) => key({ scopes: ['otp'], ...more });
    expect(mayGrant(maker({ revokedAt: now }), order, now)).toBe(false);
    expect(mayGrant(maker({ expiresAt: now }), order, now)).toBe(false);
    expect(mayGrant(maker({ expiresAt: later(5) }), order, now)).toBe(false);
    expect(mayGrant(maker({ expiresAt: later(5) }), { ...order, expiresAt: later(6) }, now)).toBe(false);
    expect(mayGrant(maker({ expiresAt: later(5) }), { ...order, expiresAt: later(5) }, now)).toBe(true);
  });
});

describe('a project', () => {
  test('has at most a thousand keys, revoked ones among them', () => {
    const order: KeyOrder = { access: 'secret', mode: 'live', scopes: ['otp'], expiresAt: null };
    const revoked = (count: number) => Array.from({ length: count }, () => key({ revokedAt: now }));
    expect(decideKey(order, revoked(999), now).kind).toBe('accepted');
    expect(decideKey(order, revoked(1_000), now)).toEqual({ kind: 'refused', reason: 'too-many-made' });
  });

  test('has a name of 1 to 40 characters without a dash at either end', () => {
    for (const slug of ['a', '7', 'a-b', 'a'.repeat(40)])
      expect(Slug.safeParse(slug).success, slug).toBe(true);
    for (const slug of ['', '-a', 'a-', '-', 'A', 'a_b', 'a b', 'ы', 'a'.repeat(41), 'a\n'])
      expect(Slug.safeParse(slug).success, slug).toBe(false);
  });
});

describe('a key may be revoked', () => {
  const powers: KeyPowers[] = (['live', 'test'] as const).flatMap((mode) =>
    ([['otp'], ['otp', 'projects'], ['jobs']] as KeyScope[][]).map((scopes) => key({ mode, scopes })),
  );

  test('by itself, and by one that holds all that it can', () => {
    for (const one of powers) expect(mayRevoke(one, one, now)).toBe(true);
    expect(mayRevoke(key({ scopes: ['otp', 'projects'] }), key(), now)).toBe(true);
    expect(mayRevoke(key(), key({ access: 'publishable', scopes: ['public'] }), now)).toBe(true);
    // How long it stands is no power of its own.
    expect(mayRevoke(key({ expiresAt: later(5) }), key(), now)).toBe(true);
  });

  test('by none that could not have made it', () => {
    expect(mayRevoke(key(), key({ scopes: ['otp', 'projects'] }), now)).toBe(false);
    expect(mayRevoke(key({ mode: 'test' }), key(), now)).toBe(false);
    expect(mayRevoke(key({ access: 'publishable', scopes: ['public'] }), key(), now)).toBe(false);
    expect(mayRevoke(key({ revokedAt: now }), key(), now)).toBe(false);
    expect(mayRevoke(key({ expiresAt: now }), key(), now)).toBe(false);
  });
});

describe('the last key that manages keys', () => {
  const full = (id: string, more: Partial<KeyView> = {}) => key({ id, scopes: ['otp', 'projects'], ...more });

  test('is one that no other active live key equals for as long', () => {
    const last = full('a');
    for (const other of [
      full('b', { revokedAt: now }),
      full('b', { expiresAt: now }),
      full('b', { expiresAt: later(5) }),
      full('b', { mode: 'test' }),
      key({ id: 'b', scopes: ['projects'] }),
    ])
      expect(isLastFullKey(last, [last, other], now)).toBe(true);
    expect(isLastFullKey(last, [last, full('b')], now)).toBe(false);
  });

  test('is not one that ends by itself before another does', () => {
    const ending = full('a', { expiresAt: later(5) });
    expect(isLastFullKey(ending, [ending, full('b', { expiresAt: later(4) })], now)).toBe(true);
    expect(isLastFullKey(ending, [ending, full('b', { expiresAt: later(5) })], now)).toBe(false);
  });

  test('is none that manages no keys, only tests, or has ended', () => {
    for (const one of [key(), full('a', { mode: 'test' }), full('a', { revokedAt: now })])
      expect(isLastFullKey(one, [one], now)).toBe(false);
  });
});

test('a key is active up to the moment at which it expires, and not once it was revoked', () => {
  expect(isActive(key({ expiresAt: later(1) }), now)).toBe(true);
  expect(isActive(key({ expiresAt: now }), now)).toBe(false);
  expect(isActive(key({ revokedAt: later(1) }), now)).toBe(false);
});
