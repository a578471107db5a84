import { expect, test } from 'vitest';
import { newsMessages } from '../../../../domain/earn/news/fan-out.ts';
import { NewsId, newsIn, NewsWords } from '../../../../domain/earn/news/news.ts';
import type { Locale } from '../../../../domain/shared/locale.ts';

const said = (title: string) => ({ title, text: `${title}!` });
const [uz, ru, en] = [said('Yangilik'), said('Новость'), said('News')];

test.each<[NewsWords, Locale, string]>([
  [{ uz, ru, en }, 'uz', 'uz'],
  [{ uz, ru, en }, 'uz-Cyrl', 'uz'],
  [{ uz, ru, en }, 'kk', 'ru'],
  [{ uz, ru, en }, 'tg', 'ru'],
  [{ uz, en }, 'ky', 'uz'],
  [{ ru, en }, 'uz', 'ru'],
  [{ uz, ru }, 'en', 'ru'],
  [{ en }, 'uz', 'en'],
])('%o is read by who reads %s in %s', (words, locale, language) => {
  expect(newsIn(words, locale).locale).toBe(language);
});

test('news is written in one language at least, in text that is seen', () => {
  expect(NewsWords.safeParse({ en }).success).toBe(true);
  for (const wrong of [
    {},
    { de: en },
    { en: { title: 'Two\nlines', text: 'x' } },
    { en: { title: 'x', text: ' \n ' } },
    { en: { title: 'x', text: 'turned \u202E round' } },
    { en: { title: 'x', text: 'x'.repeat(3_501) } },
  ])
    expect(NewsWords.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
});

test('each language and way is one message, with a key that the same round has again', () => {
  const id = NewsId.parse('0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21');
  const recipient = (name: string, locale: Locale, hasChat: boolean, hasApp: boolean) => ({
    id: name,
    locale,
    hasChat,
    hasApp,
  });
  const round = {
    id,
    words: { uz, en: { title: 'News', text: 'x'.repeat(200) } },
    category: 'service',
    after: null,
    recipients: [
      recipient('a', 'uz', true, true),
      recipient('b', 'en', true, false),
      recipient('c', 'uz-Cyrl', true, false),
      recipient('d', 'en', false, true),
      recipient('e', 'en', false, false),
    ],
  };
  const messages = newsMessages(round);
  expect(messages.map(({ dedupeKey, recipientIds }) => [dedupeKey, recipientIds.join()])).toEqual([
    [`news:${id}:telegram-message:uz:first`, 'a,c'],
    [`news:${id}:telegram-message:en:first`, 'b'],
    [`news:${id}:push:uz:first`, 'a'],
    [`news:${id}:push:en:first`, 'd'],
  ]);
  expect(messages[0]?.text).toBe('Yangilik\n\nYangilik!');
  // A lock screen shows no more, and a push has 4 kB.
  expect(messages[3]?.text).toBe(`${'x'.repeat(159)}…`);
  expect(newsMessages({ ...round, after: 'e' })[0]?.dedupeKey).toBe(`news:${id}:telegram-message:uz:e`);
});
