import { describe, expect, test } from 'vitest';
import { type KeyScope, keyAccesses, keyFront, keyModes, keyText } from '../../../domain/project/key.ts';
import { decideKey, type KeyOrder, type KeyView, mayGrant } from '../../../domain/project/project.ts';
import { SettingsChange } from '../../../domain/settings.ts';
import { changedSettings } from '../../../domain/project/settings.ts';
import { quotaState, type Quota, tightest } from '../../../domain/project/quota.ts';
import { ProjectSettings } from '../../../domain/settings.ts';
import { USAGE_DAYS_MAX, usageSpan } from '../../../domain/project/usage.ts';

const now = new Date('2026-01-15T10:00:00Z');
const later = (ms: number) => new Date(now.getTime() + ms);

describe('a key may be made', () => {
  const order: KeyOrder = { access: 'secret', mode: 'live', scopes: ['otp', 'otp'], expiresAt: null };
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

  test('beside four of its sort, and not beside five', () => {
    const others = (count: number) => Array.from({ length: count }, () => key());
    expect(decideKey(order, others(4), now)).toEqual({ decision: 'accepted', scopes: ['otp'] });
    expect(decideKey(order, others(5), now)).toEqual({ decision: 'refused', reason: 'too-many-active' });
  });

  test('beside any number of another sort, revoked or expired', () => {
    const others = [
      ...Array.from({ length: 3 }, () => key()),
      key({ mode: 'test' }),
      key({ access: 'publishable' }),
      key({ revokedAt: now }),
      key({ expiresAt: now }),
    ];
    expect(decideKey(order, [...others, key({ expiresAt: later(1) })], now).decision).toBe('accepted');
  });

  test('to expire later, not now', () => {
    expect(decideKey({ ...order, expiresAt: now }, [], now)).toEqual({
      decision: 'refused',
      reason: 'already-expired',
    });
    expect(decideKey({ ...order, expiresAt: later(1) }, [], now).decision).toBe('accepted');
  });

  test('a publishable one has the scope public and no other', () => {
    expect(decideKey({ ...order, access: 'publishable' }, [], now)).toEqual({
      decision: 'accepted',
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

  test('and reads its access and mode off its front', () => {
    for (const access of keyAccesses)
      for (const mode of keyModes)
        for (const random of ['x', 'a_test_b', 'live_pub_'])
          expect(keyFront(keyText(access, mode, random))).toEqual({ access, mode });
  });
});

describe('settings', () => {
  test('keep what is not named, lose what is null, and store no default', () => {
    const stored = { locale: 'ru', sends_per_hour: 3 };
    expect(changedSettings(stored, { sends_per_hour: null, display_name: 'Shop' })).toEqual({
      locale: 'ru',
      display_name: 'Shop',
    });
    expect(SettingsChange.parse({ locale: 'en' })).toEqual({ locale: 'en' });
  });

  test('may each be changed and each be given back', () => {
    const names = Object.keys(ProjectSettings.shape);
    const nothing = Object.fromEntries(names.map((name) => [name, null]));
    expect(SettingsChange.parse(nothing)).toEqual(nothing);
    expect(SettingsChange.safeParse({ ...nothing, more: 1 }).success).toBe(false);
  });
});

describe('a span of usage', () => {
  test('is the last thirty days unless it says otherwise', () => {
    expect(usageSpan({}, now)).toEqual({ from: '2025-12-17', to: '2026-01-15' });
    expect(usageSpan({ to: '2026-03-01' }, now)).toEqual({ from: '2026-01-31', to: '2026-03-01' });
  });

  test(`is one day at least and ${USAGE_DAYS_MAX} at most`, () => {
    expect(usageSpan({ from: '2026-01-01', to: '2026-01-01' }, now)).not.toBeNull();
    expect(usageSpan({ from: '2026-01-02', to: '2026-01-01' }, now)).toBeNull();
    expect(usageSpan({ from: '2026-01-01', to: '2026-04-02' }, now)).not.toBeNull();
    expect(usageSpan({ from: '2026-01-01', to: '2026-04-03' }, now)).toBeNull();
  });
});

describe('a quota', () => {
  const quota = (limit: number): Quota => ({ name: 'key', subject: 'k', limit });

  test('is exceeded by the request after the last, not by the last', () => {
    expect(quotaState(quota(3), { taken: 3, resetMs: 1 })).toMatchObject({
      exceeded: false,
      remaining: 0,
      resetSeconds: 1,
    });
    expect(quotaState(quota(3), { taken: 4, resetMs: 1_001 })).toMatchObject({
      exceeded: true,
      remaining: 0,
      resetSeconds: 2,
    });
  });

  test('that is exceeded binds before one that has less left', () => {
    const spent = quotaState(quota(1), { taken: 1, resetMs: 1 });
    const exceeded = quotaState({ ...quota(1), name: 'address' }, { taken: 2, resetMs: 1 });
    const roomy = quotaState(quota(100), { taken: 1, resetMs: 1 });
    expect(tightest([roomy, spent])).toBe(spent);
    expect(tightest([spent, exceeded])).toBe(exceeded);
    expect(tightest([exceeded, spent])).toBe(exceeded);
  });
});

describe('the name that people read where they approve', () => {
  const take = (display_name: string) => ProjectSettings.safeParse({ display_name }).success;

  test('is one line, and reads in the direction of all others', () => {
    for (const name of ['Korzinka', "O'zbekiston 24/7", 'Банк «Ипотека»', '支付'])
      expect(take(name), name).toBe(true);
    for (const name of [
      '',
      ' ',
      'Bank\nAmount: 1',
      'Sho\u202Ep',
      '\u200BBank',
      'Bank\u2028x',
      'a'.repeat(41),
    ])
      expect(take(name), JSON.stringify(name)).toBe(false);
  });
});
