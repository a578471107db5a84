import { z } from 'zod';

/** BCP 47. `uz` is Uzbek in Latin letters. */
const locales = ['uz', 'uz-Cyrl', 'ru', 'en', 'kk', 'ky', 'tg'] as const;
/** The languages of codes and notices. The bot speaks three of them: `apps/bot/texts.ts`. */
export const Locale = z.enum(locales);
export type Locale = z.infer<typeof Locale>;
export const LOCALE_DEFAULT: Locale = 'uz';

/** The one of a language tag such as `kk-KZ` or `uz-Cyrl-UZ`: of those that begin it, the longest. Null where none does. */
export function localeOfTag(tag: string | undefined): Locale | null {
  const asked = `${(tag ?? '').toLowerCase()}-`;
  const fitting = locales.filter((locale) => asked.startsWith(`${locale.toLowerCase()}-`));
  return fitting.toSorted((a, b) => b.length - a.length)[0] ?? null;
}

/** The languages of longer texts. */
export const mainLocales = ['uz', 'ru', 'en'] as const satisfies readonly Locale[];
export type MainLocale = (typeof mainLocales)[number];

/** For people of the other languages: Uzbek in Latin letters, and Russian, which most readers of the others understand. */
const spoken: Readonly<Record<Locale, MainLocale>> = {
  uz: 'uz',
  'uz-Cyrl': 'uz',
  ru: 'ru',
  en: 'en',
  kk: 'ru',
  ky: 'ru',
  tg: 'ru',
};
export const mainLocaleOf = (locale: Locale): MainLocale => spoken[locale];
