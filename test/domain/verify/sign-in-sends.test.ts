import { describe, expect, test } from 'vitest';
import { ProjectSettings } from '../../../domain/settings.ts';
import { knownPhone } from '../../../domain/shared/phone.ts';
import { approvalSend, isAskedByApp, phoneProvingSend } from '../../../domain/verify/sign-in-sends.ts';
import { channels, phoneProvingChannels } from '../../../domain/verify/channel.ts';

const phone = knownPhone('+998901234567');
const caller = (more: object) => ({ mode: 'live', settings: ProjectSettings.parse(more) }) as const;

describe('a code that proves a phone', () => {
  test('goes on no channel whose address the project names, in the project’s own order', () => {
    const sent = phoneProvingSend(
      caller({ channels: ['sms', 'push', 'telegram-gateway'] }),
      phone,
      'login',
      null,
    );
    expect(sent.channels).toEqual(['sms', 'telegram-gateway']);
    for (const channel of channels) {
      const { channels: used } = phoneProvingSend(caller({ channels: [channel] }), phone, 'login', null);
      expect(used.length).toBeGreaterThan(0);
      for (const one of used) expect(phoneProvingChannels).toContain(one);
    }
  });

  test('goes by SMS where the project has none that proves it', () => {
    const sent = phoneProvingSend(caller({ channels: ['push', 'telegram', 'totp'] }), phone, 'login', 'ru');
    expect(sent).toMatchObject({
      channels: ['sms'],
      purpose: 'login',
      locale: 'ru',
      phone,
      checkByTo: false,
    });
  });
});

describe('an approval', () => {
  test('goes to devices alone', () => {
    expect(approvalSend({ access: 'secret', mode: 'live' }, phone, null).channels).toEqual(['push']);
  });

  test('says whether an app asked for it, whose key is anybody’s', () => {
    const asked = (access: 'secret' | 'publishable') =>
      isAskedByApp(approvalSend({ access, mode: 'live' }, phone, null).metadata);
    expect(asked('publishable')).toBe(true);
    expect(asked('secret')).toBe(false);
    expect(isAskedByApp({ asked_by: 'service' })).toBe(false);
  });
});
