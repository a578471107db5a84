import { describe, expect, test } from 'vitest';
import { USAGE_DAYS_MAX, usageSpan } from '../../../domain/project/usage.ts';

const now = new Date('2026-01-15T10:00:00Z');

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
