import { expect, test } from 'vitest';
import { checkProblem, notAccepted, refusalProblem } from '../../../../apps/api/verify/otp-problems.ts';

const NOW = new Date('2026-01-15T10:00:00.000Z');
const inMs = (ms: number) => new Date(NOW.getTime() + ms).toISOString() as never;

test('a wait is told in whole seconds, rounded up; one that is over, or not known, is not told', () => {
  const waitOf = (seconds: number | null, facts = {}) =>
    refusalProblem('too-soon', seconds, NOW, {}, facts).headers['Retry-After'];
  expect(waitOf(30)).toBe('30');
  expect(waitOf(null, { until: inMs(1_001) })).toBe('2');
  expect([waitOf(null, { until: inMs(0) }), waitOf(null, { until: null }), waitOf(null)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('a refusal keeps the headers of its send, and names the setting that would allow it', () => {
  const headers = { 'Idempotent-Replayed': 'true' };
  const problem = refusalProblem('country-not-allowed', null, NOW, headers, { setting: 'sms_countries' });
  expect(problem).toMatchObject({
    status: 422,
    type: 'country-not-allowed',
    headers,
    extra: { setting: 'sms_countries' },
  });
  expect(() => refusalProblem('bot-blocked', null, NOW)).toThrow('not a refusal of a send');
});

test('an idempotency key of another body is told at its header', () => {
  expect(notAccepted({ kind: 'key-reused' } as never, {}, NOW)).toMatchObject({
    status: 422,
    type: 'idempotency-key-reused',
    errors: [{ pointer: 'Idempotency-Key' }],
  });
});

test('what a wrong code leaves is told where it may be: to a stranger nothing of the checks left', () => {
  expect(checkProblem({ kind: 'incorrect', remaining: 4 })).toMatchObject({
    status: 422,
    extra: { remaining: 4 },
  });
  expect(checkProblem({ kind: 'incorrect', remaining: null }).extra).toEqual({});
  expect(checkProblem({ kind: 'unknown' })).toMatchObject({ status: 404, type: 'not-found' });
  expect(checkProblem({ kind: 'blocked', retryAfterSeconds: 60 } as never)).toMatchObject({
    status: 429,
    headers: { 'Retry-After': '60' },
  });
});
