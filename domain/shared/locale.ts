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
