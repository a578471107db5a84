import { expect, test } from 'vitest';
import { finalStates } from '../../../domain/job/job.ts';
import { verifyEvents } from '../../../domain/verify/events.ts';
import { VerificationState } from '../../../domain/verify/verification.ts';

const at = '2026-01-15T10:00:00.000Z';
const shape = {
  id: '01990000-0000-7000-8000-000000000001',
  purpose: 'login',
  mode: 'live',
  channels: ['sms'],
  to: '+998•••••••67',
  metadata: null,
  created_at: at,
  closed_at: at,
};

test('each end of a verification has an event, whose state can be no other', () => {
  const ends = {
    approved: verifyEvents['verification.approved'],
    denied: verifyEvents['verification.denied'],
    expired: verifyEvents['verification.expired'],
    cancelled: verifyEvents['verification.cancelled'],
    'max-checks-reached': verifyEvents['verification.max_checks_reached'],
  };
  const all = Object.entries(ends);
  expect(['live', ...all.map(([state]) => state)].toSorted()).toEqual(VerificationState.options.toSorted());
  for (const [state, { data }] of all)
    for (const other of VerificationState.options)
      expect(data.safeParse({ ...shape, state: other }).success, `${state} ${other}`).toBe(state === other);
});

test('one that has ended says when', () => {
  const { data } = verifyEvents['verification.approved'];
  expect(data.safeParse({ ...shape, state: 'approved', closed_at: null }).success).toBe(false);
});

test('a send that ended tells how, whatever its verification has become by then', () => {
  const { data } = verifyEvents['verification.failed'];
  const ended = { ...shape, closed_at: null, job_id: shape.id, reason: null };
  for (const state of VerificationState.options)
    for (const job_state of finalStates)
      expect(data.safeParse({ ...ended, state, job_state }).success).toBe(true);
  expect(data.safeParse({ ...ended, state: 'live', job_state: 'running' }).success).toBe(false);
});
