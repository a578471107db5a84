import type { Locale } from '../../shared/locale.ts';
import { type NewsId, newsIn, type NewsLocale, type NewsWords } from './news.ts';

/** Recipients of one round: each of its messages is one commit, of some tenths of a second. */
export const NEWS_RECIPIENTS_MAX = 1_000;
/** What a lock screen shows of a text. */
const PUSH_CHARS_MAX = 160;

/** A recipient of the project in which people earn. */
interface NewsRecipient {
  readonly id: string;
  readonly locale: Locale;
  /** The bot reaches them. */
  readonly hasChat: boolean;
  /** An app of the project reaches them. */
  readonly hasApp: boolean;
}

/** The next people to tell of one announcement. */
export interface NewsRound {
  readonly id: NewsId;
  readonly words: NewsWords;
  readonly category: string;
  /** The last recipient of the round before; null in the first. The same round has the same one, however often it is begun. */
  readonly after: string | null;
  readonly recipients: readonly NewsRecipient[];
}

export interface NewsRounds {
  /**
   * Hands the next round over, and notes how far it is: where this fails or is cut off, the same round comes again. Two processes at once: one
   * of them has it. Answers whether there was one.
   */
  readonly take: (limit: number, tell: (round: NewsRound) => Promise<void>) => Promise<boolean>;
}

/** One message to many, as what tells people takes it. */
export interface NewsMessage {
  readonly kind: 'telegram-message' | 'push';
  readonly newsId: NewsId;
  readonly category: string;
  readonly title: string;
  readonly text: string;
  readonly recipientIds: readonly string[];
  /** What is told twice under one key is told once. */
  readonly dedupeKey: string;
}

/** A message for each language and way: people who have a chat and an app are told on both, as they would be of any message. */
export function newsMessages({ id, words, category, after, recipients }: NewsRound): readonly NewsMessage[] {
  const ways = [
    { kind: 'telegram-message', reached: recipients.filter(({ hasChat }) => hasChat) },
    { kind: 'push', reached: recipients.filter(({ hasApp }) => hasApp) },
  ] as const;
  return ways.flatMap(({ kind, reached }) =>
    [...byLanguage(words, reached)].map(([language, { title, text, recipientIds }]) => ({
      kind,
      newsId: id,
      category,
      title,
      text: kind === 'push' ? beginning(text) : `${title}\n\n${text}`,
      recipientIds,
      dedupeKey: `news:${id}:${kind}:${language}:${after ?? 'first'}`,
    })),
  );
}

interface Said {
  readonly title: string;
  readonly text: string;
  readonly recipientIds: string[];
}

function byLanguage(words: NewsWords, recipients: readonly NewsRecipient[]): ReadonlyMap<NewsLocale, Said> {
  const said = new Map<NewsLocale, Said>();
  for (const { id, locale } of recipients) {
    const { locale: language, title, text } = newsIn(words, locale);
    const group = said.get(language) ?? { title, text, recipientIds: [] };
    group.recipientIds.push(id);
    said.set(language, group);
  }
  return said;
}

function beginning(text: string): string {
  const letters = Array.from(text);
  return letters.length <= PUSH_CHARS_MAX ? text : `${letters.slice(0, PUSH_CHARS_MAX - 1).join('')}…`;
}
