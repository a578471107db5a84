import { z } from 'zod';
import {
  type News,
  type NewsDone,
  NewsId,
  newsStates,
  NewsWords,
  type StaffNews,
} from '../../../../domain/earn/news/news.ts';
import { ById } from '../../../http/by-id.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../../http/page.ts';
import { Problem } from '../../../http/problem.ts';
import { type Answer, defineAdminRoute, type Route } from '../../../http/route.ts';

const tag = 'News';
const action = 'news.write';

export interface StaffNewsDeps {
  readonly staffNews: StaffNews;
  /** Names of the categories of messages that the project has now, the default first. */
  readonly newsCategories: () => Promise<readonly string[]>;
}

export const staffNewsRoutes = (deps: StaffNewsDeps): Route[] => [
  list(deps),
  create(deps),
  show(deps),
  change(deps),
  publish(deps),
];

const NewsBody = z
  .object({
    id: z.uuid(),
    state: z.enum(newsStates).meta({ description: '`published`: people read it, and it stays.' }),
    words: NewsWords,
    category: z.string().meta({
      description: 'One of `message_categories` of the project: who switched it off is told of it nowhere.',
    }),
    version: z.int().meta({ description: 'Counts its changes: what `ETag` says.' }),
    made_by: z.string().meta({ description: 'E-mail of who wrote it first.' }),
    made_at: z.date().meta({ description: 'When.' }),
    published_by: z.string().nullable().meta({ description: 'E-mail of who published it; null of a draft.' }),
    published_at: z.date().nullable().meta({ description: 'When; null of a draft.' }),
    told: z.int().meta({ description: 'People who were handed to Telegram or push so far.' }),
    told_at: z.date().nullable().meta({ description: 'When all of them were; null until then.' }),
  })
  .meta({ id: 'StaffNews' });

const newsBody = (one: News) => ({
  id: one.id,
  state: one.state,
  words: one.words,
  category: one.category,
  version: one.version,
  made_by: one.madeBy,
  made_at: one.madeAt,
  published_by: one.publishedBy,
  published_at: one.publishedAt,
  told: one.told,
  told_at: one.toldAt,
});

const answer = (status: 200 | 201, one: News): Answer => ({
  status,
  body: newsBody(one),
  headers: { ETag: `"${one.version}"` },
});

const list = ({ staffNews }: StaffNewsDeps) =>
  defineAdminRoute({
    method: 'get',
    path: '/api/admin/news',
    tag,
    summary: 'List drafts and published news',
    action,
    query: z.object({
      state: z.enum(newsStates).optional().meta({ description: 'Only those in this state.' }),
      ...pageQuery,
    }),
    answers: { 200: { description: 'The newest first.', schema: pageSchema(NewsBody) } },
    async handle({ query }) {
      const page = await staffNews.list(query.state ?? null, pageOrder(query));
      return { status: 200, body: pageBody(page, newsBody) };
    },
  });

const show = ({ staffNews }: StaffNewsDeps) =>
  defineAdminRoute({
    method: 'get',
    path: '/api/admin/news/{id}',
    tag,
    summary: 'Show a draft or published news',
    action,
    params: ById,
    tagged: true,
    answers: {
      200: { description: 'Its `ETag` is what a change of it sends as `If-Match`.', schema: NewsBody },
    },
    problems: [404],
    async handle({ params }) {
      const found = await staffNews.find(NewsId.parse(params.id));
      if (!found) throw refusals['unknown-news']();
      return answer(200, found);
    },
  });

const DraftBody = z.strictObject({
  words: NewsWords,
  category: z.string().max(32).optional().meta({
    description:
      'One of `message_categories` of the project, the first where it is left out. News that advertises is of a category of marketing.',
  }),
});

/** @throws Problem 400 where the project has no such category. */
async function categoryOf({ newsCategories }: StaffNewsDeps, asked: string | undefined): Promise<string> {
  const known = await newsCategories();
  const found = asked === undefined ? known[0] : known.find((name) => name === asked);
  if (found !== undefined) return found;
  throw new Problem(400, 'invalid-request', 'The request does not fit the schema.', {
    errors: [
      {
        pointer: '/category',
        detail: `expected one of the project's message_categories: ${known.join(', ')}`,
      },
    ],
  });
}

const create = (deps: StaffNewsDeps) =>
  defineAdminRoute({
    method: 'post',
    path: '/api/admin/news',
    tag,
    summary: 'Write news',
    description: 'A draft, which nobody reads until it is published.',
    action,
    tagged: true,
    body: DraftBody,
    answers: { 201: { description: 'The draft.', schema: NewsBody } },
    async handle({ body, staff }) {
      const category = await categoryOf(deps, body.category);
      return answer(201, await deps.staffNews.create({ words: body.words, category, by: staff }));
    },
  });

const change = (deps: StaffNewsDeps) =>
  defineAdminRoute({
    method: 'put',
    path: '/api/admin/news/{id}',
    tag,
    summary: 'Change a draft',
    description: 'As a whole. What is published stays: publish another one.',
    action,
    params: ById,
    versioned: true,
    body: DraftBody,
    answers: { 200: { description: 'The draft as it is now.', schema: NewsBody } },
    problems: [404, 409],
    async handle({ params, ifMatch, body, staff }) {
      const category = await categoryOf(deps, body.category);
      const draft = { words: body.words, category, by: staff };
      return ended(await deps.staffNews.change(NewsId.parse(params.id), ifMatch ?? 0, draft));
    },
  });

const publish = ({ staffNews }: StaffNewsDeps) =>
  defineAdminRoute({
    method: 'post',
    path: '/api/admin/news/{id}/publish',
    tag,
    summary: 'Publish news',
    description:
      'As it was read (`If-Match`). People read it immediately, and are told by Telegram and push, each as their preferences let them: whoever switched its category off, or opted out, is not. Published again it stays as it is, and nobody is told twice.',
    action,
    params: ById,
    versioned: true,
    answers: { 200: { description: 'Published.', schema: NewsBody } },
    problems: [404],
    async handle({ params, ifMatch, staff }) {
      return ended(await staffNews.publish(NewsId.parse(params.id), ifMatch ?? 0, staff));
    },
  });

function ended(done: NewsDone): Answer {
  if (!done.ok) throw refusals[done.reason]();
  return answer(200, done.news);
}

const refusals: Readonly<Record<Extract<NewsDone, { ok: false }>['reason'], () => Problem>> = {
  'unknown-news': () => new Problem(404, 'not-found', 'There is no such news.'),
  'news-published': () => new Problem(409, 'news-published', 'It was published, and stays as it is.'),
  'stale-version': () =>
    new Problem(412, 'version-stale', 'It was changed since the version that If-Match names.'),
};
