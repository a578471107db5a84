import { expect, test } from 'vitest';
import { Locale } from '../../../domain/shared/locale.ts';

test('a language that we do not write, or a region of one, is refused', () => {
  for (const locale of ['uz', 'ru', 'en']) expect(Locale.safeParse(locale).success).toBe(true);
  for (const locale of ['', 'de', 'UZ', 'uz-UZ', 'en_US', 'uz ', null])
    expect(Locale.safeParse(locale).success, String(locale)).toBe(false);
});
