import { z } from 'zod';

const locales = ['uz', 'ru', 'en'] as const;
/** The languages in which Navbat writes to people. */
export const Locale = z.enum(locales);
export type Locale = z.infer<typeof Locale>;
export const LOCALE_DEFAULT: Locale = 'uz';
