import { describe, expect, test } from 'vitest';
import {
  APP_PUSHES_PER_HOUR,
  decidePush,
  PUSHES_PER_HOUR,
  type PushStanding,
  STRANGER_PUSHES_PER_HOUR,
} from '../../../../domain/identity/approval/push-limits.ts';

const now = new Date('2026-01-15T10:00:00Z');
const quiet: PushStanding = { pausedUntil: null, sent: 0, sentByStrangers: 0, sentByApps: 0 };
const stranger = (standing: Partial<PushStanding>) => decidePush({ ...quiet, ...standing }, 'stranger', now);
const known = (standing: Partial<PushStanding>) => decidePush({ ...quiet, ...standing }, 'service', now);

describe('a phone', () => {
  test('rings no more than so often in an hour, whoever asks', () => {
    expect(known({ sent: PUSHES_PER_HOUR - 1 })).toBe('push');
    expect(known({ sent: PUSHES_PER_HOUR })).toBe('limited');
  });

  test('rings for strangers within their share, which takes nothing from the others', () => {
    const last = { sent: STRANGER_PUSHES_PER_HOUR - 1, sentByStrangers: STRANGER_PUSHES_PER_HOUR - 1 };
    expect(stranger(last)).toBe('push');
    const used = { sent: STRANGER_PUSHES_PER_HOUR, sentByStrangers: STRANGER_PUSHES_PER_HOUR };
    expect(stranger(used)).toBe('limited');
    expect(known(used)).toBe('push');
    expect(stranger({ sent: PUSHES_PER_HOUR, sentByStrangers: 0 })).toBe('limited');
  });

  test('rings for services however often an app’s key, which anybody may have, asked', () => {
    const app = (standing: Partial<PushStanding>) => decidePush({ ...quiet, ...standing }, 'app', now);
    expect(app({ sent: APP_PUSHES_PER_HOUR - 1, sentByApps: APP_PUSHES_PER_HOUR - 1 })).toBe('push');
    const used = { sent: APP_PUSHES_PER_HOUR, sentByApps: APP_PUSHES_PER_HOUR };
    expect(app(used)).toBe('limited');
    expect(stranger(used)).toBe('limited');
    expect(known(used)).toBe('push');
  });

  test('is silent for everybody until the pause is over', () => {
    expect(known({ pausedUntil: new Date(now.getTime() + 1) })).toBe('paused');
    expect(stranger({ pausedUntil: new Date(now.getTime() + 1) })).toBe('paused');
    expect(known({ pausedUntil: now })).toBe('push');
  });
});
