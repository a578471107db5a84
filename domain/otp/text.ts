import { z } from 'zod';
import { REGISTRATION_PURPOSE } from '../registration/purpose.ts';

const locales = ['uz', 'ru', 'en'] as const;
export const Locale = z.enum(locales);
export type Locale = z.infer<typeof Locale>;
export const LOCALE_DEFAULT: Locale = 'uz';

/** `{code}`, `{project}` and `{minutes}` are filled in; a template without `{code}` is refused when it is set. */
const Template = z
  .string()
  .max(480) // Three concatenated SMS of a GSM alphabet: longer texts are cut or refused by operators.
  .refine((text) => text.includes('{code}'), { error: 'a template must contain {code}' });

export const Templates = z.partialRecord(Locale, Template);
export type Templates = z.infer<typeof Templates>;

const textDefaults: Readonly<Record<Locale, string>> = {
  uz: '{project}: tasdiqlash kodingiz {code}. {minutes} daqiqa amal qiladi. Uni hech kimga aytmang.',
  ru: '{project}: ваш код подтверждения {code}. Действует {minutes} мин. Никому его не сообщайте.',
  en: '{project}: your code is {code}. It works for {minutes} min. Never share it.',
};

/** A purpose whose message a document words itself (S4.27). A project's own template still comes first. */
const textsByPurpose: ReadonlyMap<string, Readonly<Record<Locale, string>>> = new Map([
  [
    REGISTRATION_PURPOSE,
    {
      uz: 'Tasdiqlash kodingiz: {code}',
      ru: 'Ваш код подтверждения: {code}',
      en: 'Your confirmation code: {code}',
    },
  ],
]);

const titles: Readonly<Record<Locale, string>> = {
  uz: 'Tasdiqlash kodi',
  ru: 'Код подтверждения',
  en: 'Your code',
};

/** The message a person reads. `ttlSeconds` is rounded up to whole minutes. */
export function codeText(
  message: { code: string; project: string; purpose: string; ttlSeconds: number; locale: Locale },
  templates: Templates,
): { title: string; text: string } {
  const values: Record<string, string> = {
    code: message.code,
    project: message.project,
    minutes: String(Math.max(1, Math.ceil(message.ttlSeconds / 60))),
  };
  const standard = textsByPurpose.get(message.purpose) ?? textDefaults;
  const template = templates[message.locale] ?? standard[message.locale];
  const text = template.replace(/\{(code|project|minutes)\}/g, (_, name: string) => values[name] ?? '');
  return { title: titles[message.locale], text };
}
