import { expect, test } from 'vitest';
import { stateAt, VerificationState } from '../../../domain/verify/verification.ts';

const now = new Date('2026-01-15T10:00:00Z');
const later = new Date(now.getTime() + 1);

test('a live one whose time is up has expired at that moment, before anybody writes so', () => {
  expect(stateAt({ state: 'live', expiresAt: later }, now)).toBe('live');
  expect(stateAt({ state: 'live', expiresAt: now }, now)).toBe('expired');
});

test('one that has ended stays as it ended, however late it is', () => {
  for (const state of VerificationState.options.filter((one) => one !== 'live'))
    expect(stateAt({ state, expiresAt: now }, later)).toBe(state);
});
