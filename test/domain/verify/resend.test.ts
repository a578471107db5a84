import { describe, expect, test } from 'vitest';
import { decideSend } from '../../../domain/verify/send.ts';
import { ProjectSettings } from '../../../domain/settings.ts';

import { now, secondsAgo, secondsLater, command, named, payment, facts, live } from './send-world.ts';

describe('a resend', () => {
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

  test('a short code lives for two minutes after it is rotated, too', () => {
    const short = { ...command, length: 4, purpose: 'verify', onResend: 'rotate' } as const;
    const settings = ProjectSettings.parse({ allow_short_codes: true });
    const shortLive = { ...live, codeLength: 4, checksMax: 3, expiresAt: secondsLater(90) };
    expect(decideSend(short, { ...facts, settings, live: shortLive }, now)).toMatchObject({
      plan: { resendOf: shortLive, codeGeneration: 1, expiresAt: secondsLater(120) },
    });
  });
});
