import { describe, expect, test } from 'vitest';
import { type Channel, OWN_APP_PROVIDER } from '../../../domain/verify/channel.ts';
import { otpSend } from '../../../domain/verify/job.ts';
import { decideStep, type Leg, type PastAttempt, type StepRules } from '../../../domain/verify/step.ts';
import type { Verification } from '../../../domain/verify/verification.ts';

const now = new Date('2026-01-15T10:00:00Z');
const ms = (offset: number) => new Date(now.getTime() + offset);
const verification = (change: Partial<Verification> = {}) =>
  ({
    state: 'live',
    mode: 'live',
    channels: ['push', 'telegram', 'sms'],
    expiresAt: ms(300_000),
    ...change,
  }) as Verification;
const rules: StepRules = {
  smsOrder: ['twilio'],
  unavailable: new Map(),
  pushUnconfirmedBuysSms: false,
  jitter: 0,
  isDue: false,
};
const providerOf = (channel: Channel) => (channel === 'sms' ? 'twilio' : channel);
const without = (...channels: Channel[]): StepRules => ({
  ...rules,
  unavailable: new Map(channels.map((channel) => [providerOf(channel) as Leg, 'no-address'])),
});
const past = (
  n: number,
  channel: Channel,
  outcome: PastAttempt['outcome'],
  more: Partial<PastAttempt> = {},
): PastAttempt => ({
  n,
  channel,
  provider: providerOf(channel),
  outcome,
  reason: outcome === 'completed' ? null : 'network',
  openedAt: now,
  closedAt: now,
  delivery: null,
  ...more,
});
const send = (channel: Channel) => ({
  kind: 'send',
  send: { leg: providerOf(channel), after: expect.toBeOneOf([null, expect.any(String)]) },
});

describe('decideStep', () => {
  test('begins with the first channel, or the first that can be used', () => {
    expect(decideStep(verification(), [], rules, now)).toEqual(send('push'));
    expect(decideStep(verification(), [], without('push'), now)).toEqual(send('telegram'));
  });

  test('a channel confirmed by its answer ends the chain', () => {
    expect(decideStep(verification(), [past(1, 'telegram', 'completed')], without('push'), now)).toEqual({
      kind: 'finish',
      state: 'completed',
      reason: 'confirmed-by-telegram',
    });
  });

  test('a wait that the provider asked for is kept, as long as nothing else is left, and leads on where it is long', () => {
    const chain = verification({ channels: ['telegram', 'sms'] });
    for (const outcome of ['snoozed', 'failed'] as const) {
      const asked = (retryAfterMs: number) => [past(1, 'telegram', outcome, { retryAfterMs })];
      expect(decideStep(chain, asked(60_000), without('sms'), now)).toMatchObject({
        kind: 'wait',
        until: ms(60_000),
      });
      expect(decideStep(chain, asked(60_000), rules, now)).toEqual(send('sms'));
      expect(decideStep(chain, asked(2_500), rules, now)).toMatchObject({ kind: 'wait', until: ms(2_500) });
    }
  });

  test('sends no more than a job may have attempts, whatever they were; one that the provider put off is none', () => {
    const tried = (count: number) =>
      Array.from({ length: count }, (_, index) => past(index + 1, 'push', 'rejected'));
    const chain = verification({ channels: ['push', 'sms'] });
    expect(decideStep(chain, tried(otpSend.attemptsMax - 1), rules, now)).toEqual(send('sms'));
    const snoozed = [past(1, 'push', 'snoozed'), ...tried(otpSend.attemptsMax - 1)];
    expect(decideStep(chain, snoozed, rules, now)).toEqual(send('sms'));
    expect(decideStep(chain, tried(otpSend.attemptsMax), rules, now)).toEqual({
      kind: 'finish',
      state: 'failed',
      reason: 'attempts-used-up',
    });
  });

  test('a final refusal moves on at once', () => {
    expect(decideStep(verification(), [past(1, 'telegram', 'rejected')], without('push'), now)).toEqual(
      send('sms'),
    );
  });

  test('waits for a confirmation until its own deadline, and then moves on', () => {
    const pushed = [past(1, 'push', 'completed', { closedAt: ms(-14_999) })];
    expect(decideStep(verification(), pushed, rules, now)).toEqual({
      kind: 'wait',
      until: ms(1),
      because: 'confirmation',
    });
    expect(
      decideStep(verification(), [past(1, 'push', 'completed', { closedAt: ms(-15_000) })], rules, now),
    ).toEqual(send('telegram'));
  });

  test('the silence of a push buys no SMS by itself', () => {
    const silent = [past(1, 'push', 'completed', { closedAt: ms(-15_000) })];
    expect(decideStep(verification(), silent, without('telegram'), now)).toEqual({
      kind: 'finish',
      state: 'completed',
      reason: 'unconfirmed',
    });
    expect(
      decideStep(verification(), silent, { ...without('telegram'), pushUnconfirmedBuysSms: true }, now),
    ).toEqual(send('sms'));
  });

  test('the silence of Navbat’s own app does, as it would have said that it is there', () => {
    const own = { provider: OWN_APP_PROVIDER, closedAt: ms(-14_999) };
    const asked = [past(1, 'push', 'completed', own)];
    expect(decideStep(verification(), asked, without('telegram'), now)).toMatchObject({
      kind: 'wait',
      until: ms(1),
    });
    const silent = [past(1, 'push', 'completed', { ...own, closedAt: ms(-15_000) })];
    expect(decideStep(verification(), silent, without('telegram'), now)).toEqual(send('sms'));
    const read = [past(1, 'push', 'completed', { ...own, delivery: 'read' })];
    expect(decideStep(verification(), read, rules, now)).toMatchObject({ reason: 'confirmed-by-push' });
  });

  test('nothing is sent where a device’s code is all that is asked for; beside others it stands still', () => {
    expect(decideStep(verification({ channels: ['totp'] }), [], rules, now)).toEqual({
      kind: 'finish',
      state: 'completed',
      reason: 'nothing-to-send',
    });
    const chain = verification({ channels: ['totp', 'sms'] });
    expect(decideStep(chain, [], rules, now)).toEqual(send('sms'));
    expect(decideStep(chain, [past(1, 'sms', 'rejected')], rules, now)).toMatchObject({ state: 'rejected' });
  });

  test('a later channel that definitely failed does buy it', () => {
    const silent = [past(1, 'push', 'completed', { closedAt: ms(-15_000) }), past(2, 'telegram', 'rejected')];
    expect(decideStep(verification(), silent, rules, now)).toEqual(send('sms'));
  });

  test('a passing fault is retried after a growing back-off: twice with another channel left, three times on the last', () => {
    const one = [past(1, 'telegram', 'failed')];
    expect(decideStep(verification(), one, without('push'), now)).toEqual({
      kind: 'wait',
      until: ms(1_000),
      because: 'back-off',
    });
    const two = [...one, past(2, 'telegram', 'failed')];
    expect(decideStep(verification(), two, without('push'), now)).toEqual(send('sms'));
    expect(decideStep(verification(), two, without('push', 'sms'), now)).toEqual({
      kind: 'wait',
      until: ms(2_000),
      because: 'back-off',
    });
    const three = [...two, past(3, 'telegram', 'failed')];
    expect(decideStep(verification(), three, without('push', 'sms'), now)).toEqual({
      kind: 'finish',
      state: 'failed',
      reason: 'network',
    });
  });

  test('once the row is due, no pause before a try is left, and a confirmation is awaited all the same', () => {
    const due = { ...without('push', 'sms'), isDue: true };
    for (const outcome of ['failed', 'snoozed'] as const)
      expect(
        decideStep(verification(), [past(1, 'telegram', outcome, { retryAfterMs: 2_000 })], due, now),
      ).toEqual(send('telegram'));
    expect(
      decideStep(verification(), [past(1, 'push', 'completed')], { ...rules, isDue: true }, now),
    ).toMatchObject({ kind: 'wait', because: 'confirmation' });
  });

  test('a row that is due ends no pause that another channel was asked for before', () => {
    const due = { ...rules, isDue: true };
    const chain = verification({ channels: ['push', 'telegram-gateway'] });
    // The push's breaker was open at first, so that the Gateway was asked before it.
    const attempts = [
      past(1, 'telegram-gateway', 'snoozed', { retryAfterMs: 60_000, closedAt: ms(-20_000) }),
      past(2, 'push', 'completed', { closedAt: ms(-16_000) }),
    ];
    expect(decideStep(chain, attempts, due, now)).toMatchObject({ kind: 'wait', until: ms(40_000) });
  });

  test('a back-off is jittered by a quarter at most', () => {
    expect(
      decideStep(
        verification(),
        [past(1, 'sms', 'failed')],
        { ...without('push', 'telegram'), jitter: 1 },
        now,
      ),
    ).toMatchObject({ until: ms(1_250) });
  });

  test('an unknown attempt is repeated once and never twice', () => {
    const alone = without('push', 'telegram');
    const one = [past(1, 'sms', 'unknown', { closedAt: ms(-60_000) })];
    expect(decideStep(verification(), one, alone, now)).toEqual(send('sms'));
    expect(decideStep(verification(), [...one, past(2, 'sms', 'unknown')], alone, now)).toMatchObject({
      kind: 'finish',
      state: 'failed',
    });
  });

  test('an attempt that a dead worker left open counts as unknown', () => {
    const cut = [past(1, 'sms', null, { closedAt: null })];
    expect(decideStep(verification(), cut, without('push', 'telegram'), now)).toEqual(send('sms'));
  });

  test('a delivered message confirms even when its attempt ended unknown', () => {
    const late = [past(1, 'sms', 'unknown', { delivery: 'delivered' })];
    expect(decideStep(verification(), late, rules, now)).toEqual({
      kind: 'finish',
      state: 'completed',
      reason: 'confirmed-by-sms',
    });
    expect(
      decideStep(verification(), [past(1, 'sms', 'unknown', { delivery: 'sent' })], rules, now),
    ).toMatchObject({ kind: 'send' });
  });

  test('a provider that asks to wait costs no try, is waited for, and is left when it asks for too much', () => {
    const busy = (retryAfterMs: number) => [past(1, 'telegram', 'snoozed', { retryAfterMs })];
    expect(decideStep(verification(), busy(3_000), without('push'), now)).toEqual({
      kind: 'wait',
      until: ms(3_000),
      because: 'provider-asked',
    });
    expect(decideStep(verification(), busy(3_001), without('push'), now)).toEqual(send('sms'));
    expect(decideStep(verification(), busy(30_000), without('push', 'sms'), now)).toMatchObject({
      kind: 'wait',
      until: ms(30_000),
    });
  });

  test('a wait for our own turn brings the last channel no nearer to its end, and leads on where another could carry the code', () => {
    const waits = (reason: 'own-pace' | 'provider-busy', times: number) =>
      Array.from({ length: times }, (_, n) =>
        past(n + 1, 'telegram', 'snoozed', { reason, retryAfterMs: 1_000 }),
      );
    const wait = { kind: 'wait', until: ms(1_000), because: 'provider-asked' };
    for (const reason of ['own-pace', 'provider-busy'] as const) {
      expect(decideStep(verification(), waits(reason, 5), without('push'), now)).toEqual(wait);
      expect(decideStep(verification(), waits(reason, 6), without('push'), now)).toEqual(send('sms'));
    }
    const alone = without('push', 'sms');
    expect(decideStep(verification(), waits('own-pace', 60), alone, now)).toEqual(wait);
    const mixed = [...waits('own-pace', 60), ...waits('provider-busy', 5)];
    expect(decideStep(verification(), mixed, alone, now)).toEqual(wait);
  });

  test('an SMS reported undelivered is a refusal', () => {
    const failed = [past(1, 'sms', 'completed', { delivery: 'failed' })];
    expect(decideStep(verification(), failed, without('push', 'telegram'), now)).toEqual({
      kind: 'finish',
      state: 'rejected',
      reason: 'delivery-failed',
    });
  });

  test.each([
    { state: 'approved', finish: { state: 'completed', reason: 'approved' } },
    { state: 'denied', finish: { state: 'cancelled', reason: 'denied' } },
    { state: 'cancelled', finish: { state: 'cancelled', reason: 'verification-cancelled' } },
    { state: 'max-checks-reached', finish: { state: 'cancelled', reason: 'max-checks-reached' } },
  ] as const)('sends nothing once the verification is $state', ({ state, finish }) => {
    expect(decideStep(verification({ state }), [], rules, now)).toEqual({ kind: 'finish', ...finish });
  });

  test('expires at the end of the code without calling anyone', () => {
    expect(decideStep(verification({ expiresAt: now }), [], rules, now)).toEqual({
      kind: 'finish',
      state: 'expired',
      reason: 'deadline',
    });
    expect(decideStep(verification({ expiresAt: ms(1) }), [], rules, now)).toEqual(send('push'));
  });

  test('nothing waits past the end of the code', () => {
    const short = verification({ expiresAt: ms(500) });
    expect(decideStep(short, [past(1, 'telegram', 'failed')], without('push'), now)).toMatchObject({
      kind: 'wait',
      until: ms(500),
    });
  });

  test('a test key’s code is sent to nobody', () => {
    expect(decideStep(verification({ mode: 'test' }), [], rules, now)).toEqual({
      kind: 'finish',
      state: 'completed',
      reason: 'test-mode',
    });
  });

  test('with no channel that can be used it says which obstacle stood there', () => {
    expect(
      decideStep(
        verification({ channels: ['sms'] }),
        [],
        { ...rules, unavailable: new Map([['twilio', 'budget-spent']]) },
        now,
      ),
    ).toEqual({ kind: 'finish', state: 'rejected', reason: 'budget-spent' });
  });
});
