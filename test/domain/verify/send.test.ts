import { describe, expect, test } from 'vitest';
import { channelRules } from '../../../domain/verify/channel.ts';
import { PREFIX_SAMPLE_MIN } from '../../../domain/verify/fraud.ts';
import { isNumberCapped, type PaidCount } from '../../../domain/verify/paid-limits.ts';
import { parsePhone } from '../../../domain/shared/phone.ts';
import { ownSend, decideSend, type SendCommand, type SendFacts } from '../../../domain/verify/send.ts';
import type { Verification } from '../../../domain/verify/verification.ts';
import { ProjectSettings } from '../../../domain/settings.ts';

const now = new Date('2026-01-15T10:00:00Z');
const secondsAgo = (seconds: number) => new Date(now.getTime() - seconds * 1_000);
const secondsLater = (seconds: number) => secondsAgo(-seconds);

const command: SendCommand = ownSend({
  phone: parsePhone('+998901234567'),
  mode: 'live',
  channels: ['push', 'telegram', 'sms'],
  channelsByDefault: true,
  purpose: 'login',
});
const named = (...channels: SendCommand['channels']): SendCommand => {
  const { channelsByDefault: _byDefault, ...rest } = command;
  return { ...rest, channels };
};
const payment = { amount: '15000000', currency: 'UZS', payee: 'Korzinka' };
const facts: SendFacts = {
  settings: ProjectSettings.parse({}),
  sentAt: [],
  locked: false,
  stranger: null,
  live: null,
  again: false,
  reach: {
    push: false,
    ownApp: false,
    telegram: false,
    providers: new Set(['push', 'telegram', 'sms']),
    locale: null,
  },
  spend: { spentMicros: 0, strangerMicros: 0 },
  askedBy: 'service',
  projectId: 'p',
  paid: [],
  prefixScore: null,
};
const live = {
  id: 'v',
  state: 'live',
  sends: 1,
  sentAt: secondsAgo(30),
  createdAt: secondsAgo(30),
  expiresAt: secondsLater(270),
  ttlSeconds: 300,
  codeGeneration: 0,
  codeLength: 6,
  checksMax: 5,
  payment: null,
} as Verification;

describe('decideSend', () => {
  test('sends a first code by the channels that can reach the recipient', () => {
    expect(decideSend(command, facts, now)).toMatchObject({
      kind: 'accepted',
      plan: {
        resendOf: null,
        channels: ['sms'],
        locale: 'uz',
        codeGeneration: 0,
        checksMax: 5,
        expiresAt: secondsLater(300),
      },
    });
  });

  test.each([
    { sends: 1, gapSeconds: 30 },
    { sends: 2, gapSeconds: 60 },
    { sends: 3, gapSeconds: 120 },
    { sends: 4, gapSeconds: 120 },
  ])('after $sends sends a resend waits $gapSeconds s, and not a second longer', ({ sends, gapSeconds }) => {
    const early = { ...live, sends, sentAt: secondsAgo(gapSeconds - 1) };
    expect(decideSend(command, { ...facts, live: early }, now)).toEqual({
      kind: 'refused',
      reason: 'too-soon',
      retryAfterSeconds: 1,
    });
    const due = { ...live, sends, sentAt: secondsAgo(gapSeconds) };
    expect(decideSend(command, { ...facts, live: due }, now)).toMatchObject({
      kind: 'accepted',
      plan: { resendOf: due },
    });
  });

  test('a resend of the same code keeps its end, and adds no check', () => {
    expect(decideSend(command, { ...facts, live }, now)).toMatchObject({
      plan: { codeGeneration: 0, checksMax: live.checksMax, expiresAt: live.expiresAt },
    });
  });

  test('whoever asks for an approval gets a verification of their own, and no check anew', () => {
    const checked = { ...live, checksUsed: 3, sends: 2, sentAt: secondsAgo(60) };
    const alone = { resendOf: null, replaces: checked, expiresAt: secondsLater(300) };
    expect(decideSend(named('push', 'sms'), { ...facts, live: checked }, now)).toMatchObject({ plan: alone });
    const knownApp = { ...facts, live: checked, reach: { ...facts.reach, push: true, ownApp: true } };
    expect(decideSend(command, knownApp, now)).toMatchObject({ plan: alone });
    // By its own id, by a code that is typed, or by the project's own token it is the same verification again.
    for (const [asked, given] of [
      [named('push', 'sms'), { ...facts, live: checked, again: true }],
      [named('sms'), { ...facts, live: checked }],
      [command, { ...knownApp, reach: { ...knownApp.reach, ownApp: false } }],
    ] as const)
      expect(decideSend(asked, given, now)).toMatchObject({ plan: { resendOf: checked, replaces: null } });
  });

  test('a resend that rotates the code gives it a life of its own, within ten minutes of the first', () => {
    const rotate = { ...command, onResend: 'rotate' as const };
    expect(decideSend(rotate, { ...facts, live }, now)).toMatchObject({
      plan: { codeGeneration: 1, expiresAt: secondsLater(300) },
    });
    const old = { ...live, createdAt: secondsAgo(400), sends: 2, sentAt: secondsAgo(100) };
    expect(decideSend(rotate, { ...facts, live: old }, now)).toMatchObject({
      plan: { expiresAt: secondsLater(200) },
    });
  });

  test('an expired verification is not resent: the send is a new one', () => {
    const expired = { ...live, expiresAt: now };
    expect(decideSend(command, { ...facts, live: expired }, now)).toMatchObject({ plan: { resendOf: null } });
  });

  test('refuses the sixth send in an hour and says when the first one leaves it', () => {
    const four = [50, 40, 30, 20].map((minutes) => secondsAgo(minutes * 60));
    expect(decideSend(command, { ...facts, sentAt: four }, now)).toMatchObject({ kind: 'accepted' });
    const five = [...four, secondsAgo(600)];
    expect(decideSend(command, { ...facts, sentAt: five }, now)).toEqual({
      kind: 'refused',
      reason: 'too-many-sends',
      retryAfterSeconds: 600,
    });
    expect(decideSend(command, { ...facts, sentAt: [secondsAgo(3_600), ...four] }, now)).toMatchObject({
      kind: 'accepted',
    });
  });

  test('refuses a locked destination before anything else', () => {
    expect(decideSend(command, { ...facts, locked: true }, now)).toMatchObject({
      reason: 'destination-locked',
    });
  });

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

  test('a code that lives for one payment is not sent again for another', () => {
    const paying = { ...live, payment };
    expect(decideSend({ ...command, payment }, { ...facts, live: paying }, now)).toMatchObject({
      plan: { resendOf: paying },
    });
    for (const other of [
      { ...payment, amount: '1' },
      { ...payment, payee: 'Makro' },
      { ...payment, currency: 'USD' },
    ])
      expect(decideSend({ ...command, payment: other }, { ...facts, live: paying }, now)).toMatchObject({
        reason: 'other-payment',
      });
    expect(decideSend(command, { ...facts, live: paying }, now)).toMatchObject({ reason: 'other-payment' });
    const over = { ...paying, expiresAt: now };
    expect(decideSend(command, { ...facts, live: over }, now)).toMatchObject({ kind: 'accepted' });
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
    const providers = new Set(['telegram-gateway'] as const);
    expect(
      decideSend(
        named('telegram-gateway'),
        { ...facts, prefixScore: pumped, reach: { ...facts.reach, providers } },
        now,
      ),
    ).toMatchObject({ reason: 'prefix-blocked' });
    expect(decideSend(command, { ...facts, prefixScore: pumped }, now)).toMatchObject({
      reason: 'prefix-blocked',
    });
    expect(
      decideSend(command, { ...facts, prefixScore: { ...pumped, sent: PREFIX_SAMPLE_MIN - 1 } }, now),
    ).toMatchObject({ kind: 'accepted' });
    expect(decideSend(command, { ...facts, prefixScore: { ...pumped, verified: 1 } }, now)).toMatchObject({
      kind: 'accepted',
    });
    expect(
      decideSend(command, { ...facts, prefixScore: { ...pumped, at: secondsAgo(3_600) } }, now),
    ).toMatchObject({ kind: 'accepted' });
  });

  test('short codes need the project to opt in, get three checks and two minutes, and never serve a login', () => {
    const short = { ...command, length: 4, purpose: 'door' };
    expect(decideSend(short, facts, now)).toMatchObject({ reason: 'code-too-short' });
    const optedIn = { ...facts, settings: ProjectSettings.parse({ allow_short_codes: true }) };
    expect(decideSend(short, optedIn, now)).toMatchObject({
      plan: { checksMax: 3, expiresAt: secondsLater(120) },
    });
    expect(decideSend({ ...short, purpose: 'login' }, optedIn, now)).toMatchObject({
      reason: 'code-too-short',
    });
    expect(decideSend({ ...short, purpose: 'payout' }, optedIn, now)).toMatchObject({
      reason: 'code-too-short',
    });
  });

  test('a short code lives for two minutes after it is rotated, too', () => {
    const short = { ...command, length: 4, purpose: 'verify', onResend: 'rotate' } as const;
    const settings = ProjectSettings.parse({ allow_short_codes: true });
    const shortLive = { ...live, codeLength: 4, checksMax: 3, expiresAt: secondsLater(90) };
    expect(decideSend(short, { ...facts, settings, live: shortLive }, now)).toMatchObject({
      plan: { resendOf: shortLive, codeGeneration: 1, expiresAt: secondsLater(120) },
    });
  });
});
