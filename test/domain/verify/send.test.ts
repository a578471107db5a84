import { describe, expect, test } from 'vitest';
import { decideSend } from '../../../domain/verify/send.ts';
import { ProjectSettings } from '../../../domain/settings.ts';

import { now, secondsAgo, secondsLater, command, facts, live } from './send-world.ts';

describe('a first send', () => {
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
});
