import { describe, expect, test } from 'vitest';
import {
  approvalStatement,
  ChallengeAnswer,
  ChallengeId,
  ShownState,
  shownState,
} from '../../../../domain/identity/approval/challenge.ts';
import { ProjectId } from '../../../../domain/shared/ids.ts';

const now = new Date('2026-01-15T10:00:00Z');
const later = new Date(now.getTime() + 1);
const signature = `${'a'.repeat(85)}A`;
const takes = (answer: object) => ChallengeAnswer.safeParse({ signature, ...answer }).success;

describe('an answer', () => {
  test('that says yes names the number, and no other does', () => {
    expect(takes({ decision: 'approve', number: '07' })).toBe(true);
    expect(takes({ decision: 'approve' })).toBe(false);
    for (const decision of ['deny', 'report']) {
      expect(takes({ decision })).toBe(true);
      expect(takes({ decision, number: '07' })).toBe(false);
    }
  });

  test('names two digits, the first zero kept', () => {
    for (const number of ['00', '07', '99']) expect(takes({ decision: 'approve', number })).toBe(true);
    for (const number of ['', '7', '007', ' 7', '7a', '٠٧', '07\n', 7])
      expect(takes({ decision: 'approve', number }), JSON.stringify(number)).toBe(false);
  });

  test('is signed, and holds nothing else', () => {
    expect(ChallengeAnswer.safeParse({ decision: 'deny' }).success).toBe(false);
    expect(takes({ decision: 'deny', more: 1 })).toBe(false);
    expect(takes({ decision: 'maybe' })).toBe(false);
  });
});

test('a challenge that nobody answered has expired at its last moment; an answered one never does', () => {
  expect(shownState('pending', later, now)).toBe('pending');
  expect(shownState('pending', now, now)).toBe('expired');
  for (const state of ['approved', 'denied', 'reported', 'mismatched'] as const) {
    expect(shownState(state, now, later)).toBe(state);
    expect(ShownState.options).toContain(state);
  }
});

test('what is signed differs with every part of it, so that an answer to one challenge is none to another', () => {
  const challenge = {
    id: ChallengeId.parse('01990000-0000-7000-8000-000000000001'),
    project: { id: ProjectId.parse('01990000-0000-7000-8000-000000000002'), name: 'Shop' },
    purpose: 'login',
    context: { client: { ip: '192.0.2.1', user_agent: null }, payment: null },
    expiresAt: now,
  };
  const payment = { amount: '1', currency: 'UZS', payee: 'Korzinka' };
  const signed = [
    approvalStatement(challenge, 'approve', '07'),
    approvalStatement(challenge, 'approve', '70'),
    approvalStatement(challenge, 'deny', null),
    approvalStatement(challenge, 'report', null),
    approvalStatement({ ...challenge, purpose: 'pay' }, 'approve', '07'),
    approvalStatement({ ...challenge, expiresAt: later }, 'approve', '07'),
    approvalStatement({ ...challenge, context: { ...challenge.context, payment } }, 'approve', '07'),
    approvalStatement({ ...challenge, context: { client: null, payment: null } }, 'approve', '07'),
    approvalStatement({ ...challenge, project: { ...challenge.project, name: 'Other' } }, 'approve', '07'),
    approvalStatement(
      { ...challenge, id: ChallengeId.parse('01990000-0000-7000-8000-000000000003') },
      'approve',
      '07',
    ),
  ].map((statement) => JSON.stringify(statement));
  expect(new Set(signed).size).toBe(signed.length);
});
