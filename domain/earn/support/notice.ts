import type { Locale } from '../../shared/locale.ts';

/** An answer of staff that its person is still to be told of. */
export interface DueSupportNotice {
  /** Of the message: it is told once. */
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  readonly locale: Locale;
  /** Telegram chats of the person; none where they are reached nowhere. */
  readonly chatIds: readonly string[];
}

export interface SupportNotices {
  /** Hands up to so many over, and marks them: where this fails or is cut off, they are handed over again. Answers how many. */
  readonly take: (
    limit: number,
    tell: (notices: readonly DueSupportNotice[]) => Promise<void>,
  ) => Promise<number>;
}

const words: Readonly<Record<Locale, (subject: string) => string>> = {
  uz: (subject) => `Qo‘llab-quvvatlash xizmati «${subject}» murojaatingizga javob berdi:`,
  'uz-Cyrl': (subject) => `Қўллаб-қувватлаш хизмати «${subject}» мурожаатингизга жавоб берди:`,
  ru: (subject) => `Служба поддержки ответила на ваше обращение «${subject}»:`,
  en: (subject) => `Support answered your request “${subject}”:`,
  kk: (subject) => `Қолдау қызметі «${subject}» өтінішіңізге жауап берді:`,
  ky: (subject) => `Колдоо кызматы «${subject}» кайрылууңузга жооп берди:`,
  tg: (subject) => `Хадамоти дастгирӣ ба муроҷиати шумо «${subject}» ҷавоб дод:`,
};

/** For a chat, which its owner alone reads. */
export const supportNoticeText = ({
  subject,
  text,
  locale,
}: Pick<DueSupportNotice, 'subject' | 'text' | 'locale'>): string => `${words[locale](subject)}\n\n${text}`;
