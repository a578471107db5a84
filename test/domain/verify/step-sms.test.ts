import { describe, expect, test } from 'vitest';
import { type SmsProvider, smsProviderRules, smsProviders } from '../../../domain/verify/sms-provider.ts';
import { decideStep, legsOf, type PastAttempt, type StepRules } from '../../../domain/verify/step.ts';
import type { Verification } from '../../../domain/verify/verification.ts';

const now = new Date('2026-01-15T10:00:00Z');
const seconds = (offset: number) => new Date(now.getTime() + offset * 1_000);
const verification = {
  state: 'live',
  mode: 'live',
  channels: ['sms'],
  expiresAt: seconds(300),
} as unknown as Verification;
const rules: StepRules = {
  smsOrder: smsProviders,
  unavailable: new Map(),
  pushUnconfirmedBuysSms: false,
  jitter: 0,
  isDue: false,
};
const past = (
  provider: SmsProvider,
  outcome: PastAttempt['outcome'],
  more: Partial<PastAttempt> = {},
): PastAttempt => ({
  n: 1,
  channel: 'sms',
  provider,
  outcome,
  reason: outcome === 'completed' ? null : 'network',
  openedAt: now,
  closedAt: now,
  delivery: null,
  ...more,
});
const send = (leg: SmsProvider) => ({
  kind: 'send',
  send: { leg, after: expect.toBeOneOf([null, expect.any(String)]) },
});
const decide = (attempts: readonly PastAttempt[], at = 0, change: Partial<StepRules> = {}) =>
  decideStep(verification, attempts, { ...rules, ...change }, seconds(at));

describe('an SMS of several providers', () => {
  test('begins with the first of the order that can be used', () => {
    expect(decide([])).toEqual(send('eskiz'));
    expect(decide([], 0, { unavailable: new Map([['eskiz', 'provider-unavailable']]) })).toEqual(
      send('play-mobile'),
    );
  });

  test.each([
    ['is refused', { outcome: 'rejected', reason: 'text-not-moderated' }],
    ['was reported as undelivered', { outcome: 'completed', delivery: 'failed' }],
    ['has expired', { outcome: 'completed', delivery: 'expired' }],
  ] as const)('that %s goes by the next one at once', (_, end) => {
    expect(decide([past('eskiz', end.outcome, end)])).toEqual(send('play-mobile'));
  });

  test.each(['completed', 'unknown'] as const)(
    'that is %s waits for its report until its provider’s deadline, counted from when it may have left',
    (outcome) => {
      const left =
        outcome === 'completed'
          ? { closedAt: seconds(0), openedAt: seconds(-10) }
          : { closedAt: seconds(10) };
      const attempts = [past('eskiz', outcome, left)];
      const until = seconds(smsProviderRules.eskiz.confirmWithinSeconds);
      expect(decide(attempts, 10)).toEqual({ kind: 'wait', until, because: 'confirmation' });
      // Somebody who asks again, or staff, make no second SMS of it.
      expect(decide(attempts, 10, { isDue: true })).toMatchObject({ kind: 'wait' });
      expect(decide(attempts, smsProviderRules.eskiz.confirmWithinSeconds)).toEqual(send('play-mobile'));
    },
  );

  test('that nobody knows the end of is repeated only by the last one, and only where that is Twilio', () => {
    const lost = { reason: 'timeout' };
    expect(decide([past('twilio', 'unknown', lost)], 5, { smsOrder: ['twilio'] })).toEqual(send('twilio'));
    expect(decide([past('twilio', 'unknown', lost)], 5, { smsOrder: ['twilio', 'eskiz'] })).toMatchObject({
      kind: 'wait',
    });
    for (const alone of ['eskiz', 'play-mobile'] as const) {
      const attempts = [past(alone, 'unknown', lost)];
      expect(decide(attempts, 5, { smsOrder: [alone] })).toMatchObject({ kind: 'wait' });
      expect(decide(attempts, 31, { smsOrder: [alone] })).toMatchObject({ kind: 'finish' });
    }
  });

  test.each(['unknown', null] as const)(
    'that no provider took (%s) is never called completed: nothing may have been sent',
    (outcome) => {
      const lost = past('eskiz', outcome, { reason: 'worker-lost' });
      const second = (...[to, more]: [PastAttempt['outcome'], Partial<PastAttempt>?]) =>
        past('play-mobile', to, { n: 2, ...more });
      const end = (...attempts: PastAttempt[]) =>
        decide(attempts, 31, { smsOrder: attempts.map(({ provider }) => provider as SmsProvider) });
      const failed = { kind: 'finish', state: 'failed', reason: 'unknown' };
      const unconfirmed = { kind: 'finish', state: 'completed', reason: 'unconfirmed' };

      expect(end(lost)).toEqual(failed);
      expect(end(lost, second(outcome))).toEqual(failed);
      expect(end(past('twilio', 'rejected'), second(outcome))).toEqual(failed);
      expect(end(lost, second('rejected', { reason: 'number-invalid' }))).toEqual({
        kind: 'finish',
        state: 'rejected',
        reason: 'number-invalid',
      });
      expect(end(lost, second('completed'))).toEqual(unconfirmed);
      expect(end(past('twilio', 'completed', { closedAt: seconds(-60) }), second(outcome))).toEqual(
        unconfirmed,
      );
      // The report says that the provider has it.
      expect(end({ ...lost, delivery: 'sent' })).toEqual(unconfirmed);
    },
  );

  test('that a dead worker left open is awaited and not sent twice', () => {
    const open = [past('eskiz', null, { closedAt: null })];
    expect(decide(open, 5)).toMatchObject({ kind: 'wait' });
    expect(decide(open, 31)).toEqual(send('play-mobile'));
  });

  test.each(['unknown', null] as const)(
    'whose answer was lost (%s) and that is reported as undelivered goes on at once',
    (outcome) => {
      const reported = [past('eskiz', outcome, { delivery: 'failed' })];
      expect(decide(reported, 2)).toEqual({
        kind: 'send',
        send: { leg: 'play-mobile', after: 'delivery-failed' },
      });
      expect(
        decide([past('twilio', outcome, { delivery: 'failed' })], 2, { smsOrder: ['twilio'] }),
      ).toMatchObject({
        kind: 'finish',
        reason: 'delivery-failed',
      });
    },
  );

  test('tells why the one before it did not do, also where that was passed by', () => {
    const after = (attempts: readonly PastAttempt[], at: number, change: Partial<StepRules> = {}) => {
      const step = decide(attempts, at, change);
      return step.kind === 'send' ? step.send.after : step;
    };
    expect(after([], 0)).toBeNull();
    expect(after([], 0, { unavailable: new Map([['eskiz', 'text-not-moderated']]) })).toBe(
      'text-not-moderated',
    );
    expect(after([past('eskiz', 'completed')], 31)).toBe('sms-unconfirmed');
    expect(after([past('eskiz', 'rejected', { reason: 'balance-empty' })], 0)).toBe('balance-empty');
  });

  test('that arrived after all ends the chain, whatever was sent since', () => {
    expect(
      decide([
        past('eskiz', 'unknown', { delivery: 'delivered' }),
        past('play-mobile', 'completed', { n: 2 }),
      ]),
    ).toEqual({ kind: 'finish', state: 'completed', reason: 'confirmed-by-sms' });
  });

  test('keeps to what it began with, whatever the order is by now', () => {
    const order = { smsOrder: ['play-mobile', 'eskiz', 'twilio'] as const };
    const attempts = [past('eskiz', 'completed')];
    expect(legsOf(['push', 'sms', 'totp'], attempts, order)).toEqual([
      'push',
      'eskiz',
      'play-mobile',
      'twilio',
    ]);
    expect(decide(attempts, 5, order)).toMatchObject({ kind: 'wait' });
    expect(decide(attempts, 31, order)).toEqual(send('play-mobile'));
  });

  test('ends with what its last provider said', () => {
    const refused = smsProviders.map((provider, index) =>
      past(provider, 'rejected', { n: index + 1, reason: 'number-invalid' }),
    );
    expect(decide(refused)).toEqual({ kind: 'finish', state: 'rejected', reason: 'number-invalid' });
    expect(decide([], 0, { smsOrder: [] })).toEqual({
      kind: 'finish',
      state: 'rejected',
      reason: 'no-provider',
    });
  });

  test('whose silence is no push’s buys the next one', () => {
    const chain = { ...verification, channels: ['push', 'sms'] } as Verification;
    const pushed = { ...past('eskiz', 'completed', { n: 1 }), channel: 'push', provider: 'fcm' } as const;
    const silent = past('eskiz', 'unknown', { n: 2, reason: 'timeout' });
    expect(
      decideStep(chain, [pushed, silent], { ...rules, pushUnconfirmedBuysSms: false }, seconds(40)),
    ).toEqual(send('play-mobile'));
  });
});
