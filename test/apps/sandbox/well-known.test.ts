import { expect, test } from 'vitest';
import { CHANNELS } from '../../../apps/sandbox/message.ts';
import { wellKnownFault } from '../../../apps/sandbox/well-known.ts';

const front = {
  sms: '+998999999',
  'telegram-gateway': '+998999999',
  telegram: '999999',
  push: 'sandbox-',
} as const;

test('the last three digits say what happens, on every channel alike', () => {
  for (const channel of CHANNELS)
    for (const [digits, effect] of [
      ['408', 'hang-before'],
      ['409', 'hang-after'],
      ['429', 'rate-limit'],
      ['500', 'server-error'],
      ['503', 'server-error'],
      ['202', 'never-delivered'],
      ['303', 'undelivered'],
      ['404', 'reject'],
      ['403', 'reject'],
    ] as const)
      expect(wellKnownFault(channel, front[channel] + digits)?.effect, `${channel} ${digits}`).toBe(effect);
});

test('a number that does not want an SMS has nothing to say of its text, which would count for all others', () => {
  for (const provider of ['eskiz', 'play-mobile'] as const)
    expect(wellKnownFault('sms', '+998999999403', provider)).toMatchObject({
      effect: 'reject',
      code: 'refused',
    });
});

test('nobody else’s message fails by itself', () => {
  for (const channel of CHANNELS)
    for (const to of [
      '+998901234567',
      '7',
      'token',
      '',
      `${front[channel]}200`,
      `${front[channel]}4040`,
      front[channel],
      'toString',
    ])
      expect(wellKnownFault(channel, to), `${channel} ${to}`).toBeUndefined();
});

test('Twilio’s own numbers fail on SMS alone', () => {
  expect(wellKnownFault('sms', '+15005550001')).toMatchObject({ effect: 'reject', code: 21_211 });
  expect(wellKnownFault('telegram-gateway', '+15005550001')).toBeUndefined();
});
