import { describe, expect, test } from 'vitest';
import { type AnswerFacts, decideAnswer } from '../../../../domain/identity/approval/answer.ts';
import {
  ChallengeAnswer,
  MONEY_DEVICE_AGE_SECONDS,
  shownState,
} from '../../../../domain/identity/approval/challenge.ts';

const now = new Date('2026-01-15T10:00:00Z');
const secondsAgo = (seconds: number) => new Date(now.getTime() - seconds * 1_000);
const facts: AnswerFacts = {
  state: 'pending',
  expiresAt: secondsAgo(-60),
  isAwaited: true,
  superseded: false,
  movesMoney: false,
  deviceBoundAt: secondsAgo(60),
  number: '07',
  signatureHolds: true,
  repeats: false,
};
const yes = { decision: 'approve', number: '07' } as const;
const no = { decision: 'deny' } as const;
const notMine = { decision: 'report' } as const;

describe('an answer', () => {
  test('approves with the right number, and is over with a wrong one', () => {
    expect(decideAnswer(facts, yes, now)).toEqual({ outcome: 'approved', repeated: false });
    for (const number of ['70', '08', '00'])
      expect(decideAnswer(facts, { ...yes, number }, now)).toEqual({
        outcome: 'mismatched',
        repeated: false,
      });
    expect(decideAnswer({ ...facts, number: null }, yes, now)).toMatchObject({ outcome: 'mismatched' });
  });

  test('denies and reports without a number', () => {
    expect(decideAnswer(facts, no, now)).toMatchObject({ outcome: 'denied' });
    expect(decideAnswer(facts, notMine, now)).toMatchObject({ outcome: 'reported' });
  });

  test.each([yes, { ...yes, number: '08' }, no, notMine])(
    'that is not signed uses nothing up, whatever it says: %j',
    (answer) => {
      const forged = { ...facts, signatureHolds: false };
      expect(decideAnswer(forged, answer, now)).toEqual({ outcome: 'forged' });
      expect(decideAnswer({ ...forged, state: 'approved', repeats: true }, answer, now)).toEqual({
        outcome: 'forged',
      });
    },
  );

  test('comes too late when the time is up, and not a moment before', () => {
    expect(decideAnswer({ ...facts, expiresAt: now }, yes, now)).toEqual({ outcome: 'closed' });
    expect(decideAnswer({ ...facts, expiresAt: new Date(now.getTime() + 1) }, yes, now)).toMatchObject({
      outcome: 'approved',
    });
  });

  test('is for nobody once the verification is closed', () => {
    expect(decideAnswer({ ...facts, isAwaited: false }, yes, now)).toEqual({ outcome: 'closed' });
    expect(decideAnswer({ ...facts, isAwaited: false }, no, now)).toEqual({ outcome: 'closed' });
  });

  test('to an earlier send is for nobody: its number is no longer shown', () => {
    expect(decideAnswer({ ...facts, superseded: true }, yes, now)).toEqual({ outcome: 'closed' });
  });

  test.each(['approved', 'denied', 'reported', 'mismatched'] as const)(
    'once %s, the same again gets the same, and another nothing',
    (state) => {
      expect(decideAnswer({ ...facts, state, repeats: true }, yes, now)).toEqual({
        outcome: state,
        repeated: true,
      });
      expect(decideAnswer({ ...facts, state, repeats: true, expiresAt: now }, yes, now)).toMatchObject({
        repeated: true,
      });
      expect(decideAnswer({ ...facts, state }, no, now)).toEqual({ outcome: 'answered' });
    },
  );

  test('for money needs a device that was bound a day ago; to say no, or of anything else, it need not be', () => {
    const money = { ...facts, movesMoney: true };
    const young = { ...money, deviceBoundAt: secondsAgo(MONEY_DEVICE_AGE_SECONDS - 1) };
    expect(decideAnswer(young, yes, now)).toEqual({ outcome: 'device-too-young' });
    expect(decideAnswer(young, { ...yes, number: '08' }, now)).toEqual({ outcome: 'device-too-young' });
    expect(decideAnswer(young, no, now)).toMatchObject({ outcome: 'denied' });
    expect(decideAnswer(young, notMine, now)).toMatchObject({ outcome: 'reported' });
    const old = { ...money, deviceBoundAt: secondsAgo(MONEY_DEVICE_AGE_SECONDS) };
    expect(decideAnswer(old, yes, now)).toMatchObject({ outcome: 'approved' });
  });
});

test('a challenge that nobody answered in time has expired; one that was answered stays what it was', () => {
  expect(shownState('pending', now, now)).toBe('expired');
  expect(shownState('pending', secondsAgo(-1), now)).toBe('pending');
  expect(shownState('denied', now, now)).toBe('denied');
});

test('the number comes with a yes, and with nothing else', () => {
  const signature = `${'A'.repeat(85)}A`;
  const takes = (body: object) => ChallengeAnswer.safeParse({ signature, ...body }).success;
  expect(takes({ decision: 'approve', number: '07' })).toBe(true);
  expect(takes({ decision: 'deny' })).toBe(true);
  expect(takes({ decision: 'approve' })).toBe(false);
  expect(takes({ decision: 'deny', number: '07' })).toBe(false);
  for (const number of ['7', '007', 7, 'ab', '٠٧'])
    expect(takes({ decision: 'approve', number })).toBe(false);
});
