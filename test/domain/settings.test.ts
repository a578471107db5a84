import { describe, expect, test } from 'vitest';
import { ProjectSettings, SettingsChange } from '../../domain/settings.ts';

describe('settings', () => {
  test('may each be changed and each be given back', () => {
    const names = Object.keys(ProjectSettings.shape);
    const nothing = Object.fromEntries(names.map((name) => [name, null]));
    expect(SettingsChange.parse(nothing)).toEqual(nothing);
    expect(SettingsChange.safeParse({ ...nothing, more: 1 }).success).toBe(false);
  });

  test('that a change does not name get no default by it', () => {
    expect(SettingsChange.parse({ locale: 'en' })).toEqual({ locale: 'en' });
    expect(SettingsChange.parse({})).toEqual({});
  });

  test('of every context have a default, so that a new project needs none', () => {
    expect(Object.keys(ProjectSettings.parse({})).toSorted()).toEqual(
      Object.keys(ProjectSettings.shape)
        .filter((name) => name !== 'display_name')
        .toSorted(),
    );
  });

  test('that open a door are off until somebody opens it', () => {
    expect(ProjectSettings.parse({})).toMatchObject({
      telegram_sign_in: false,
      allow_short_codes: false,
      push_unconfirmed_buys_sms: false,
    });
  });
});
