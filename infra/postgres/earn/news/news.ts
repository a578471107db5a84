import type pg from 'pg';
import {
  type News,
  type NewsDone,
  type NewsDraft,
  NewsId,
  type NewsState,
  NewsWords,
  type StaffNews,
} from '../../../../domain/earn/news/news.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { StaffMember } from '../../../../domain/staff/port.ts';
import { inTransaction, type Queryable } from '../../engine/transaction.ts';
import type { NoteChange } from '../note-change.ts';

/** Announcements as staff write them. Whoever changes or publishes one holds its row first, and names the version that they read. */
export const staffNews = (pool: pg.Pool, book: ProjectId, note: NoteChange): StaffNews => ({
  list: async (state, { limit, after }) => {
    const { rows } = await pool.query<NewsRow>(list, [book, state, after, limit + 1]);
    return pageOf(rows.map(newsOf), limit);
  },
  find: (id) => read(pool, book, id),
  create: (draft) => inTransaction(pool, (tx) => createOne(tx, { book, note }, draft)),
  change: (id, version, draft) =>
    inTransaction(pool, async (tx) => {
      const held = await hold(tx, book, id);
      if (!held) return refused('unknown-news');
      if (held.state === 'published') return refused('news-published');
      if (held.version !== version) return refused('stale-version');
      await tx.query(change, [id, draft.words, draft.category]);
      await note(tx, changeOf(id, draft.by, 'change'));
      return done(await read(tx, book, id));
    }),
  publish: (id, version, by) =>
    inTransaction(pool, async (tx) => {
      const held = await hold(tx, book, id);
      if (!held) return refused('unknown-news');
      if (held.state === 'draft') {
        if (held.version !== version) return refused('stale-version');
        await tx.query(publish, [id, by.id]);
        await note(tx, changeOf(id, by, 'publish'));
      }
      return done(await read(tx, book, id));
    }),
});

const changeOf = (subject: NewsId, by: StaffMember, did: 'create' | 'change' | 'publish') =>
  ({ by, action: 'news.write', subject, did }) as const;

const refused = (reason: Extract<NewsDone, { ok: false }>['reason']): NewsDone => ({ ok: false, reason });

function done(news: News | null): NewsDone {
  if (!news) throw new Error('an announcement was held, and is gone');
  return { ok: true, news };
}

async function createOne(
  tx: pg.PoolClient,
  { book, note }: { readonly book: ProjectId; readonly note: NoteChange },
  { words, category, by }: NewsDraft,
): Promise<News> {
  const { rows } = await tx.query<{ id: string }>(create, [book, words, category, by.id]);
  const id = NewsId.parse(rows[0]?.id);
  await note(tx, changeOf(id, by, 'create'));
  const made = await read(tx, book, id);
  if (!made) throw new Error('an announcement was written, and is gone');
  return made;
}

async function hold(tx: Queryable, book: ProjectId, id: NewsId): Promise<NewsRow | undefined> {
  await tx.query('select from announcement a where a.id = $1 and a.project_id = $2 for no key update', [
    id,
    book,
  ]);
  const { rows } = await tx.query<NewsRow>(find, [id, book]);
  return rows[0];
}

async function read(db: Queryable, book: ProjectId, id: NewsId): Promise<News | null> {
  const { rows } = await db.query<NewsRow>(find, [id, book]);
  return rows[0] ? newsOf(rows[0]) : null;
}

interface NewsRow {
  readonly id: string;
  readonly state: NewsState;
  readonly words: unknown;
  readonly category: string;
  readonly version: number;
  readonly made_by: string;
  readonly made_at: Date;
  readonly published_by: string | null;
  readonly published_at: Date | null;
  readonly told: number;
  readonly told_at: Date | null;
}

const newsOf = (row: NewsRow): News => ({
  id: NewsId.parse(row.id),
  state: row.state,
  words: NewsWords.parse(row.words),
  category: row.category,
  version: row.version,
  madeBy: row.made_by,
  madeAt: row.made_at,
  publishedBy: row.published_by,
  publishedAt: row.published_at,
  told: row.told,
  toldAt: row.told_at,
});

const columns = `
a.id, a.state, a.words, a.category, a.version, m.email as made_by, a.made_at, p.email as published_by, a.published_at, a.told, a.told_at`;
const tables = 'announcement a join staff m on m.id = a.made_by left join staff p on p.id = a.published_by';

const find = `select ${columns} from ${tables} where a.id = $1 and a.project_id = $2`;

const list = `
select ${columns} from ${tables}
where a.project_id = $1 and ($2::text is null or a.state = $2) and ($3::uuid is null or a.id < $3) order by a.id desc limit $4`;

const create = `
insert into announcement (project_id, words, category, made_by, made_at) values ($1, $2, $3, $4, navbat_now()) returning id`;

const change = `
update announcement set words = $2, category = $3, version = version + 1 where id = $1 and state = 'draft'`;

const publish = `
update announcement set state = 'published', version = version + 1, published_by = $2, published_at = navbat_now() where id = $1 and state = 'draft'`;
