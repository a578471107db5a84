import { z } from 'zod';
import type { Locale } from '../../shared/locale.ts';
import type { Page, PageOrder } from '../../shared/page.ts';
import { hiddenLetter, VISIBLE_LINE } from '../../shared/visible-line.ts';
import type { StaffMember } from '../../staff/port.ts';

export const NewsId = z.uuid().brand<'NewsId'>();
export type NewsId = z.infer<typeof NewsId>;

const TITLE_CHARS_MAX = 120;
/** With its title it is one Telegram message, of 4 096 characters. */
const TEXT_CHARS_MAX = 3_500;

/** Staff write in one or more of these; people of other languages read one of them. */
const newsLocales = ['uz', 'ru', 'en'] as const;
export type NewsLocale = (typeof newsLocales)[number];
export const NewsLocale = z.enum(newsLocales);

const NewsText = z.strictObject({
  title: z
    .string()
    .min(1)
    .max(TITLE_CHARS_MAX)
    .regex(VISIBLE_LINE, 'expected one line of visible text')
    .meta({ description: 'In one line.', example: 'A higher price on Saturday' }),
  text: z
    .string()
    .min(1)
    .max(TEXT_CHARS_MAX)
    .refine((text) => text.trim() !== '' && hiddenLetter(text) === null, {
      error: 'expected text that is seen; its lines end with a line feed',
    })
    .meta({
      description: `Up to ${TEXT_CHARS_MAX} characters, without markup. A push shows its beginning.`,
      example: 'On Saturday each MB earns 2 UZS.',
    }),
});

/** What it says, by language: at least one. */
export const NewsWords = z
  .strictObject({
    uz: NewsText.optional().meta({ description: 'In Uzbek.' }),
    ru: NewsText.optional().meta({ description: 'In Russian.' }),
    en: NewsText.optional().meta({ description: 'In English.' }),
  })
  .refine((words) => newsLocales.some((locale) => words[locale] !== undefined), {
    error: 'expected at least one of uz, ru and en',
  })
  .meta({ description: 'By language, at least one: people of other languages read one of those there are.' });
export type NewsWords = z.infer<typeof NewsWords>;

/** The first of these that it is written in. As the bot: Uzbek to `uz-Cyrl`, Russian to `kk`, `ky` and `tg`. */
const readIn: Readonly<Record<Locale, readonly [NewsLocale, NewsLocale, NewsLocale]>> = {
  uz: ['uz', 'ru', 'en'],
  'uz-Cyrl': ['uz', 'ru', 'en'],
  ru: ['ru', 'uz', 'en'],
  en: ['en', 'ru', 'uz'],
  kk: ['ru', 'uz', 'en'],
  ky: ['ru', 'uz', 'en'],
  tg: ['ru', 'uz', 'en'],
};

interface SaidNews {
  readonly locale: NewsLocale;
  readonly title: string;
  readonly text: string;
}

/** @throws Error where it is written in no language: the schema and the database let in none. */
export function newsIn(words: NewsWords, locale: Locale): SaidNews {
  for (const one of readIn[locale]) {
    const said = words[one];
    if (said) return { locale: one, ...said };
  }
  throw new Error('news in no language');
}

export const newsStates = ['draft', 'published'] as const;
export type NewsState = (typeof newsStates)[number];

/** As staff have it. */
export interface News {
  readonly id: NewsId;
  readonly state: NewsState;
  readonly words: NewsWords;
  /** Of the project's categories of messages: people switch it on and off. */
  readonly category: string;
  readonly version: number;
  readonly madeBy: string;
  readonly madeAt: Date;
  readonly publishedBy: string | null;
  readonly publishedAt: Date | null;
  /** People who were handed to what tells them, so far. */
  readonly told: number;
  /** When all of them were; null until then. */
  readonly toldAt: Date | null;
}

export interface NewsDraft {
  readonly words: NewsWords;
  readonly category: string;
  readonly by: StaffMember;
}

export type NewsDone =
  | { readonly ok: true; readonly news: News }
  | { readonly ok: false; readonly reason: 'unknown-news' | 'news-published' | 'stale-version' };

/** As staff write it. Each change leaves a row of the audit, in its commit. */
export interface StaffNews {
  readonly list: (state: NewsState | null, order: PageOrder) => Promise<Page<News>>;
  readonly find: (id: NewsId) => Promise<News | null>;
  readonly create: (draft: NewsDraft) => Promise<News>;
  readonly change: (id: NewsId, version: number, draft: NewsDraft) => Promise<NewsDone>;
  /** Once: what is published stays, and whoever publishes it again finds it so. */
  readonly publish: (id: NewsId, version: number, by: StaffMember) => Promise<NewsDone>;
}

/** As people read it. */
export interface PublishedNews {
  readonly id: NewsId;
  readonly words: NewsWords;
  readonly publishedAt: Date;
}

export interface ReadNews {
  /** Newest first. */
  readonly list: (order: PageOrder) => Promise<Page<PublishedNews>>;
  readonly find: (id: NewsId) => Promise<PublishedNews | null>;
  /** In which the person reads; the default where they said nothing. */
  readonly localeOf: (personId: string) => Promise<Locale>;
}
