import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { baseSettings, changedSettings, settingsChange } from '../../../domain/project/settings.ts';

const settings = z.object(baseSettings);

describe('settings', () => {
  test('keep what is not named, lose what is null, and store no default', () => {
    const stored = { locale: 'ru', sends_per_hour: 3 };
    expect(changedSettings(stored, { sends_per_hour: null, display_name: 'Shop' })).toEqual({
      locale: 'ru',
      display_name: 'Shop',
    });
    expect(settingsChange(baseSettings).parse({ locale: 'en' })).toEqual({ locale: 'en' });
  });

  test('a limit of 0 or of more than ten million requests a minute is refused', () => {
    for (const requests_per_minute of [1, 10_000_000])
      expect(settings.safeParse({ requests_per_minute }).success).toBe(true);
    for (const requests_per_minute of [0, 10_000_001, 1.5, '6000'])
      expect(settings.safeParse({ requests_per_minute }).success).toBe(false);
  });
});

describe('the name that people read where they approve', () => {
  const take = (display_name: string) => settings.safeParse({ display_name }).success;

  test('is one line, and reads in the direction of all others', () => {
    for (const name of ['a'.repeat(40), 'Korzinka', "O'zbekiston 24/7", 'Банк «Ипотека»', '支付'])
      expect(take(name), name).toBe(true);
    for (const name of [
      '',
      ' ',
      'Bank\nAmount: 1',
      'Sho\u202Ep',
      '\u200BBank',
      'Bank\u2028x',
      'a'.repeat(41),
    ])
      expect(take(name), JSON.stringify(name)).toBe(false);
  });
});
