import type { Locale } from '../../domain/shared/locale.ts';

const RUSSIAN = 'абвгдеёжзийклмнопрстуфхцчшщъыьэюя';

/** Letters that a language writes its words with. Two of them look alike in Latin and in Cyrillic, and an SMS costs by which it is. */
const alphabets: Readonly<Record<Locale, string>> = {
  uz: 'abcdefghijklmnopqrstuvwxyz',
  en: 'abcdefghijklmnopqrstuvwxyz',
  ru: RUSSIAN,
  'uz-Cyrl': `${RUSSIAN}ўқғҳ`,
  kk: `${RUSSIAN}әғқңөұүһі`,
  ky: `${RUSSIAN}ңөү`,
  tg: `${RUSSIAN}ғӣқӯҳҷ`,
};

/** Names, which every language writes alike. */
const NAMES = /Navbat|Telegram/g;

/** Letters of a text that its language does not have, such as a Latin `c` in a word of Russian. */
export function foreignLetters(text: string, locale: Locale): string[] {
  const letters = text.replaceAll(NAMES, '').toLowerCase().match(/\p{L}/gu) ?? [];
  return letters.filter((letter) => !alphabets[locale].includes(letter));
}
