import type pg from 'pg';
import { NewsId, NewsWords, type PublishedNews, type ReadNews } from '../../../../domain/earn/news/news.ts';
import { type Locale, LOCALE_DEFAULT } from '../../../../domain/shared/locale.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';

/** What was published, as people read it. A draft is not there. */
export const readNews = (pool: pg.Pool, book: ProjectId): ReadNews => ({
  list: async ({ limit, after }) => {
    const { rows } = await pool.query<PublishedRow>(list, [book, after, limit + 1]);
    return pageOf(rows.map(publishedOf), limit);
  },
  find: async (id) => {
    const { rows } = await pool.query<PublishedRow>(find, [book, id]);
    return rows[0] ? publishedOf(rows[0]) : null;
  },
  localeOf: async (personId) => {
    const { rows } = await pool.query<{ locale: Locale | null }>(locale, [book, personId]);
    return rows[0]?.locale ?? LOCALE_DEFAULT;
  },
});

interface PublishedRow {
  readonly id: string;
  readonly words: unknown;
  readonly published_at: Date;
}

const publishedOf = (row: PublishedRow): PublishedNews => ({
  id: NewsId.parse(row.id),
  words: NewsWords.parse(row.words),
  publishedAt: row.published_at,
});

/** By the id of the row that was seen last, in the order in which they were published. */
const list = `
select a.id, a.words, a.published_at from announcement a
where a.project_id = $1 and a.state = 'published'
  and ($2::uuid is null or (a.published_at, a.id) < (select x.published_at, x.id from announcement x where x.id = $2))
order by a.published_at desc, a.id desc limit $3`;

const find = `
select a.id, a.words, a.published_at from announcement a where a.project_id = $1 and a.id = $2 and a.state = 'published'`;

const locale = 'select c.locale from recipient c where c.project_id = $1 and c.person_id = $2 limit 1';
