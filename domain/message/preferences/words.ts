import { Locale } from '../../shared/locale.ts';
import { type Category, titleOf } from './category.ts';

/** Under a message: switches its category off. Telegram sends it back as it is. */
export const STOP_DATA = 'navbat:stop-category';

const stopWords: Readonly<Record<Locale, (title: string) => string>> = {
  uz: (title) => `🔕 To‘xtatish: ${title}`,
  'uz-Cyrl': (title) => `🔕 Тўхтатиш: ${title}`,
  ru: (title) => `🔕 Отключить: ${title}`,
  en: (title) => `🔕 Stop: ${title}`,
  kk: (title) => `🔕 Тоқтату: ${title}`,
  ky: (title) => `🔕 Токтотуу: ${title}`,
  tg: (title) => `🔕 Қатъ кардан: ${title}`,
};

/** By language. A message that waits was written by an earlier version, which may have known fewer of them. */
export type StopLabels = Readonly<Partial<Record<Locale, string>>>;

export const stopLabelsOf = (category: Category): StopLabels | null =>
  category.stop_button
    ? Object.fromEntries(
        Locale.options.map((locale) => [locale, stopWords[locale](titleOf(category, locale))]),
      )
    : null;
