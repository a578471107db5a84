import { expect, test } from 'vitest';
import { z } from 'zod';
import { identitySettings } from '../../../domain/identity/settings.ts';

test('Telegram signs nobody in until the project says so, and only a plain yes says so', () => {
  const settings = z.object(identitySettings);
  expect(settings.parse({})).toEqual({ telegram_sign_in: false });
  for (const telegram_sign_in of ['true', 1, 'yes', null])
    expect(settings.safeParse({ telegram_sign_in }).success).toBe(false);
});
