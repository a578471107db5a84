import { z } from 'zod';
import { Locale } from '../../shared/locale.ts';
import { VISIBLE_LINE } from '../../shared/visible-line.ts';

/** More would be a page that nobody reads. */
const CATEGORIES_MAX = 20;
/** Fits a button on a phone, together with the words around it. */
const NAME_CHARS_MAX = 40;

/** Of a category, in settings and in requests. */
export const CategoryName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,31}$/, 'expected a small letter, then up to 31 of a-z, 0-9, _ and -');

const ShownName = z
  .string()
  .min(1)
  .max(NAME_CHARS_MAX)
  .regex(VISIBLE_LINE, 'expected one line of visible text');

/** A sort of message that a person can switch off. */
export const Category = z.strictObject({
  name: CategoryName,
  titles: z
    .partialRecord(Locale, ShownName)
    .optional()
    .meta({ description: 'What people read, by language; its name where a language is absent.' }),
  marketing: z
    .boolean()
    .default(false)
    .meta({ description: 'It advertises: a critical message may not name it.' }),
  stop_button: z
    .boolean()
    .default(false)
    .meta({ description: 'Telegram messages of it to your recipients have a button that switches it off.' }),
});
export type Category = z.infer<typeof Category>;

const plain = { marketing: false, stop_button: false };

export const categoriesSetting = z
  .array(Category)
  .min(1)
  .max(CATEGORIES_MAX)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, {
    error: 'expected each name once',
  })
  .default([
    {
      ...plain,
      name: 'service',
      titles: { uz: 'Xizmat xabarlari', ru: 'Сервисные сообщения', en: 'Service' },
    },
    { ...plain, name: 'account', titles: { uz: 'Hisobingiz', ru: 'Ваш аккаунт', en: 'Your account' } },
    {
      ...plain,
      name: 'marketing',
      titles: { uz: 'Reklama va aksiyalar', ru: 'Реклама и акции', en: 'Offers' },
      marketing: true,
    },
  ])
  .meta({
    description:
      'Sorts of messages that people switch on and off. A message that names none has the first. A message that waits keeps the category that it was sent with.',
  });

/** @returns the category of a message that names this one, or none; null where the project has no such category. */
export const categoryOf = (categories: readonly Category[], name: string | undefined): Category | null =>
  (name === undefined ? categories[0] : categories.find((one) => one.name === name)) ?? null;

export const titleOf = ({ name, titles }: Category, locale: Locale): string => titles?.[locale] ?? name;
