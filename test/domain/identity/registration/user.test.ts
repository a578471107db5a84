import { expect, test } from 'vitest';
import { isRegistrationCode, TelegramId } from '../../../../domain/identity/registration/user.ts';

test('a registration code is six ASCII digits and nothing around them', () => {
  for (const code of ['000000', '123456']) expect(isRegistrationCode(code)).toBe(true);
  for (const code of ['', '12345', '1234567', '12345a', ' 123456', '123456\n', '١٢٣٤٥٦'])
    expect(isRegistrationCode(code), JSON.stringify(code)).toBe(false);
});

test('a Telegram id is a whole number above zero that keeps its last digit', () => {
  for (const id of [1, 2 ** 52, Number.MAX_SAFE_INTEGER]) expect(TelegramId.safeParse(id).success).toBe(true);
  for (const id of [0, -1, 1.5, 2 ** 53, Number.NaN, '7', null])
    expect(TelegramId.safeParse(id).success, String(id)).toBe(false);
});
