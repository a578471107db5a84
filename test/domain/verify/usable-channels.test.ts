import { describe, expect, test } from 'vitest';
import { channelRules } from '../../../domain/verify/channel.ts';
import { PREFIX_SAMPLE_MIN } from '../../../domain/verify/fraud.ts';
import { isNumberCapped, type PaidCount } from '../../../domain/verify/paid-limits.ts';
import { parsePhone } from '../../../domain/shared/phone.ts';
import type { SendFacts } from '../../../domain/verify/send-facts.ts';
import { decideSend } from '../../../domain/verify/send.ts';

import { now, secondsAgo, command, named, payment, facts } from './send-world.ts';

describe('the channels of a send', () => {
  test('a push that is named is taken for everybody, so that the answer tells of no device', () => {
    expect(decideSend(named('push', 'sms'), facts, now)).toMatchObject({
      plan: { channels: ['push', 'sms'] },
    });
    expect(decideSend(command, facts, now)).toMatchObject({ plan: { channels: ['sms'] } });
    const nobodyPushes = { ...facts, reach: { ...facts.reach, providers: new Set(['sms'] as const) } };
    expect(decideSend(named('push'), nobodyPushes, now)).toMatchObject({ reason: 'no-channel' });
  });

  test('a locked destination is still asked on a device, for everybody alike, and by nothing else', () => {
    const locked = { ...facts, locked: true };
    expect(decideSend(named('push', 'sms', 'totp'), locked, now)).toMatchObject({
      plan: { channels: ['push', 'totp'] },
    });
    expect(decideSend(named('sms', 'totp'), locked, now)).toMatchObject({ reason: 'destination-locked' });
    expect(decideSend(command, locked, now)).toMatchObject({ reason: 'destination-locked' });
    const known = { ...locked, reach: { ...facts.reach, push: true } };
    expect(decideSend(command, known, now)).toMatchObject({ plan: { channels: ['push'] } });
  });

  test('a device’s code asks for no provider, and never moves money', () => {
    expect(decideSend(named('totp'), facts, now)).toMatchObject({ plan: { channels: ['totp'] } });
    const pay = { purpose: 'pay', payment };
    expect(decideSend({ ...named('totp', 'sms'), ...pay }, facts, now)).toMatchObject({
      reason: 'totp-for-money',
    });
    expect(decideSend({ ...named('totp'), payment }, facts, now)).toMatchObject({ reason: 'totp-for-money' });
    const byDefault = { ...command, ...pay, channels: ['totp', 'sms'] } as const;
    expect(decideSend(byDefault, facts, now)).toMatchObject({ plan: { channels: ['sms'] } });
  });

  test('the Gateway, which words its message itself, carries no payment', () => {
    const providers = new Set(['telegram-gateway', 'sms'] as const);
    const open = { ...facts, reach: { ...facts.reach, providers } };
    const both = named('telegram-gateway', 'sms');
    expect(decideSend(both, open, now)).toMatchObject({ plan: { channels: ['telegram-gateway', 'sms'] } });
    expect(decideSend({ ...both, payment }, open, now)).toMatchObject({ plan: { channels: ['sms'] } });
  });

  test('sends paid messages to allowed countries only', () => {
    const german = { ...command, phone: parsePhone('+4915123456789') };
    expect(decideSend(german, facts, now)).toMatchObject({ reason: 'country-not-allowed' });
    expect(decideSend(german, { ...facts, reach: { ...facts.reach, telegram: true } }, now)).toMatchObject({
      plan: { channels: ['telegram'] },
    });
  });

  test('a spent budget closes paid channels, and free ones stay open', () => {
    const fits = facts.settings.sms_daily_budget_micros - channelRules.sms.reservedMicros;
    const spentBy = (spentMicros: number, more: Partial<SendFacts> = {}): SendFacts => ({
      ...facts,
      ...more,
      spend: { spentMicros, strangerMicros: 0 },
    });
    // As the worker asks: what the message sets aside must still fit.
    expect(decideSend(command, spentBy(fits), now)).toMatchObject({ kind: 'accepted' });
    expect(decideSend(command, spentBy(fits + 1), now)).toMatchObject({ reason: 'budget-spent' });
    const reach = { ...facts.reach, push: true };
    expect(decideSend(command, spentBy(fits + 1, { reach }), now)).toMatchObject({
      plan: { channels: ['push'] },
    });
  });

  test('publishable keys use up half of the budget by default, and services the whole', () => {
    const half = facts.settings.sms_daily_budget_micros / 2;
    const fits = half - channelRules.sms.reservedMicros;
    const at = (askedBy: SendFacts['askedBy'], strangerMicros: number) =>
      decideSend(command, { ...facts, askedBy, spend: { spentMicros: strangerMicros, strangerMicros } }, now);
    expect(at('stranger', fits)).toMatchObject({ kind: 'accepted' });
    expect(at('stranger', fits + 1)).toMatchObject({ reason: 'budget-spent' });
    expect(at('service', half)).toMatchObject({ kind: 'accepted' });
  });

  test('no project, and no strangers, take all the paid messages that a number may get', () => {
    const paid = (projectId: string, askedBy: SendFacts['askedBy'], messages: number) => ({
      projectId,
      askedBy,
      messages,
    });
    const refusal = { reason: 'number-capped' };
    const sent = { kind: 'accepted' };
    const at = (askedBy: SendFacts['askedBy'], ...counts: ReturnType<typeof paid>[]) =>
      decideSend(command, { ...facts, askedBy, paid: counts }, now);
    expect(at('service', paid('p', 'service', 7))).toMatchObject(sent);
    expect(at('service', paid('p', 'service', 8))).toMatchObject(refusal);
    expect(at('service', paid('p', 'service', 3), paid('p', 'known', 5))).toMatchObject(refusal);
    expect(at('service', paid('p', 'service', 2), paid('p', 'known', 5))).toMatchObject(sent);
    expect(at('known', paid('p', 'known', 4), paid('p', 'stranger', 5))).toMatchObject(sent);
    expect(at('known', paid('p', 'known', 5))).toMatchObject(refusal);
    expect(at('service', paid('q', 'service', 8), paid('r', 'service', 7))).toMatchObject(refusal);
    expect(at('stranger', paid('p', 'stranger', 4))).toMatchObject(sent);
    expect(at('stranger', paid('p', 'stranger', 5))).toMatchObject(refusal);
    expect(at('stranger', paid('q', 'stranger', 5))).toMatchObject(sent);
    expect(at('stranger', paid('q', 'stranger', 5), paid('r', 'stranger', 3))).toMatchObject(refusal);
    expect(at('stranger', paid('p', 'service', 8))).toMatchObject(sent);
  });

  test('whatever one project takes of a number, in whatever order, each other project gets a message by each key', () => {
    const askers = ['service', 'known', 'stranger'] as const;
    const orders = askers.flatMap((one) =>
      askers.flatMap((two) =>
        askers.filter((three) => new Set([one, two, three]).size === 3).map((three) => [one, two, three]),
      ),
    );
    expect(orders).toHaveLength(6);
    for (const order of orders) {
      let taken: PaidCount[] = [];
      for (const askedBy of order)
        while (!isNumberCapped(taken, { projectId: 'greedy', askedBy }))
          taken = [...taken, { projectId: 'greedy', askedBy, messages: 1 }];
      expect(taken.length).toBeLessThanOrEqual(13);
      for (const askedBy of askers)
        expect(isNumberCapped(taken, { projectId: 'other', askedBy })).toBe(false);
    }
  });

  test('the last two of the eight that strangers of all projects get to a number are for addresses in good standing', () => {
    const paid = (messages: number) => [{ projectId: 'q', askedBy: 'stranger', messages } as const];
    const at = (messages: number, unconfirmed: number) => {
      const stranger = { from: 'home', asks: [], address: { unconfirmed, confirmed: 0 } };
      return decideSend(command, { ...facts, askedBy: 'stranger', stranger, paid: paid(messages) }, now);
    };
    expect(at(5, 1)).toMatchObject({ kind: 'accepted' });
    expect(at(6, 1)).toMatchObject({ reason: 'number-capped' });
    expect(at(7, 0)).toMatchObject({ kind: 'accepted' });
    expect(at(8, 0)).toMatchObject({ reason: 'number-capped' });
  });

  test('a prefix whose codes nobody verifies gets no paid message, by no channel, until its counts have decayed', () => {
    const pumped = { sent: PREFIX_SAMPLE_MIN, verified: 0, at: now };
    const riskOf = (prefix: typeof pumped) => ({ ...facts.risk, prefix });
    const providers = new Set(['telegram-gateway'] as const);
    expect(
      decideSend(
        named('telegram-gateway'),
        { ...facts, risk: riskOf(pumped), reach: { ...facts.reach, providers } },
        now,
      ),
    ).toMatchObject({ reason: 'prefix-blocked' });
    expect(decideSend(command, { ...facts, risk: riskOf(pumped) }, now)).toMatchObject({
      reason: 'prefix-blocked',
    });
    expect(
      decideSend(command, { ...facts, risk: riskOf({ ...pumped, sent: PREFIX_SAMPLE_MIN - 1 }) }, now),
    ).toMatchObject({ kind: 'accepted' });
    expect(decideSend(command, { ...facts, risk: riskOf({ ...pumped, verified: 1 }) }, now)).toMatchObject({
      kind: 'accepted',
    });
    expect(
      decideSend(command, { ...facts, risk: riskOf({ ...pumped, at: secondsAgo(3_600) }) }, now),
    ).toMatchObject({ kind: 'accepted' });
  });

  test('a client that the service vouches for gets paid messages behind a pumped prefix; budget, cap and country hold as for all', () => {
    const pumped = { ...facts, risk: { ...facts.risk, prefix: { sent: 1_000, verified: 0, at: now } } };
    const sendTo = (trusted: boolean, more: Partial<typeof facts> = {}) =>
      decideSend({ ...named('sms'), client: { trusted } }, { ...pumped, ...more }, now);
    expect(sendTo(false)).toMatchObject({ reason: 'prefix-blocked' });
    expect(sendTo(true)).toMatchObject({ kind: 'accepted' });
    const settings = { ...facts.settings, sms_countries: [] };
    expect(sendTo(true, { settings })).toMatchObject({ reason: 'country-not-allowed' });
    expect(sendTo(true, { spend: { spentMicros: 1e15, strangerMicros: 0 } })).toMatchObject({
      reason: 'budget-spent',
    });
    const paid = [{ projectId: 'p', askedBy: 'service', messages: 8 }] as const;
    expect(sendTo(true, { paid })).toMatchObject({ reason: 'number-capped' });
  });

  test('a risk holds back paid channels alone: telegram is still used', () => {
    const ip = { sent: 1_000, verified: 0, at: now };
    const reach = { ...facts.reach, telegram: true };
    expect(decideSend(command, { ...facts, risk: { ...facts.risk, ip }, reach }, now)).toMatchObject({
      plan: { channels: ['telegram'] },
    });
    expect(decideSend(command, { ...facts, risk: { ...facts.risk, ip } }, now)).toMatchObject({
      reason: 'risk-blocked',
    });
  });
});
