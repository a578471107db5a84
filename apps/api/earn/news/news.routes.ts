import { z } from 'zod';
import {
  NewsId,
  newsIn,
  NewsLocale,
  type PublishedNews,
  type ReadNews,
} from '../../../../domain/earn/news/news.ts';
import { Locale } from '../../../../domain/shared/locale.ts';
import { ById } from '../../../http/by-id.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../../http/page.ts';
import { Problem } from '../../../http/problem.ts';
import { definePersonRoute, type Route } from '../../../http/route.ts';

const tag = 'News';

export interface NewsDeps {
  readonly news: ReadNews;
}

export const newsRoutes = (deps: NewsDeps): Route[] => [list(deps), show(deps)];

const NewsBody = z
  .object({
    id: z.uuid(),
    locale: NewsLocale.meta({ description: 'The language in which it is shown.' }),
    title: z.string().meta({ description: 'In one line.' }),
    text: z.string().meta({ description: 'Without markup, in several lines where needed.' }),
    published_at: z.date().meta({ description: 'When it was published.' }),
  })
  .meta({ id: 'News' });

const newsBody = ({ id, words, publishedAt }: PublishedNews, locale: Locale) => ({
  id,
  ...newsIn(words, locale),
  published_at: publishedAt,
});

const language = {
  locale: Locale.optional().meta({
    description:
      'The language to read it in; that of the person where it is left out. Where it is not written in that, another one.',
  }),
};

const list = ({ news }: NewsDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/news',
    tag,
    summary: 'List news',
    session: 'earner',
    query: z.object({ ...language, ...pageQuery }),
    answers: { 200: { description: 'What was published, the newest first.', schema: pageSchema(NewsBody) } },
    async handle({ query, person }) {
      const locale = query.locale ?? (await news.localeOf(person.personId));
      const page = await news.list(pageOrder(query));
      return { status: 200, body: pageBody(page, (one) => newsBody(one, locale)) };
    },
  });

const show = ({ news }: NewsDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/news/{id}',
    tag,
    summary: 'Show news',
    session: 'earner',
    params: ById,
    query: z.object(language),
    answers: { 200: { description: 'One of those that were published.', schema: NewsBody } },
    problems: [404],
    async handle({ params, query, person }) {
      const found = await news.find(NewsId.parse(params.id));
      if (!found) throw new Problem(404, 'not-found', 'No such news was published.');
      const locale = query.locale ?? (await news.localeOf(person.personId));
      return { status: 200, body: newsBody(found, locale) };
    },
  });
