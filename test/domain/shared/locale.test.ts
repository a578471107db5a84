import { expect, test } from 'vitest';
import { Locale, localeOfTag } from '../../../domain/shared/locale.ts';

test('a language that we do not write, or a region of one, is refused', () => {
  for (const locale of ['uz', 'uz-Cyrl', 'ru', 'en', 'kk', 'ky', 'tg'])
    expect(Locale.safeParse(locale).success, locale).toBe(true);
  for (const locale of ['', 'de', 'UZ', 'uz-UZ', 'uz-cyrl', 'uz_Cyrl', 'uz-Latn', 'en_US', 'uz ', null])
    expect(Locale.safeParse(locale).success, String(locale)).toBe(false);
});

test('a language tag of an app is read for the language and script that it has, whatever its case and region', () => {
  for (const [tag, locale] of [
    ['kk', 'kk'],
    ['ky-KG', 'ky'],
    ['uz', 'uz'],
    ['uz-Latn-UZ', 'uz'],
    ['uz-Cyrl', 'uz-Cyrl'],
    ['UZ-cyrl-uz', 'uz-Cyrl'],
    ['uz-Cyrlic', 'uz'],
    ['kkj', null],
    ['de', null],
    ['', null],
    [undefined, null],
  ] as const)
    expect(localeOfTag(tag), String(tag)).toBe(locale);
});
