import type pg from 'pg';
import type { NewsRound, NewsRounds } from '../../../../domain/earn/news/fan-out.ts';
import { NewsId, NewsWords } from '../../../../domain/earn/news/news.ts';
import { type Locale, LOCALE_DEFAULT } from '../../../../domain/shared/locale.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { inTransaction, type Queryable } from '../../engine/transaction.ts';

/** What was published, and whom it was not told yet: recipients of the project in the order of their ids, those that were there by then. */
export const newsRounds = (pool: pg.Pool, book: ProjectId): NewsRounds => ({
  take: async (limit, tell) => {
    // Nearly every look finds nothing, and then holds nothing.
    const { rows: waiting } = await pool.query({ name: 'news-waits', text: anyWaiting, values: [book] });
    if (waiting.length === 0) return false;
    return inTransaction(pool, async (tx) => {
      const { rows } = await tx.query<HeldRow>(hold, [book]);
      const [held] = rows;
      if (!held) return false;
      const round = await readRound(tx, book, held, limit);
      await tell(round);
      const last = round.recipients.at(-1)?.id ?? null;
      const reached = round.recipients.filter(({ hasChat, hasApp }) => hasChat || hasApp).length;
      await tx.query(note, [held.id, last, reached, round.recipients.length < limit]);
      return true;
    });
  },
});

interface HeldRow {
  readonly id: string;
  readonly words: unknown;
  readonly category: string;
  readonly published_at: Date;
  readonly told_after: string | null;
}

interface RecipientRow {
  readonly id: string;
  readonly locale: Locale | null;
  readonly has_chat: boolean;
  readonly has_app: boolean;
}

async function readRound(tx: Queryable, book: ProjectId, held: HeldRow, limit: number): Promise<NewsRound> {
  const { rows } = await tx.query<RecipientRow>(recipients, [
    book,
    held.told_after,
    held.published_at,
    limit,
  ]);
  return {
    id: NewsId.parse(held.id),
    words: NewsWords.parse(held.words),
    category: held.category,
    after: held.told_after,
    recipients: rows.map(({ id, locale, has_chat: hasChat, has_app: hasApp }) => ({
      id,
      locale: locale ?? LOCALE_DEFAULT,
      hasChat,
      hasApp,
    })),
  };
}

const anyWaiting = `
select from announcement where project_id = $1 and state = 'published' and told_at is null limit 1`;

/** The oldest that nobody else is at. */
const hold = `
select a.id, a.words, a.category, a.published_at, a.told_after from announcement a
where a.project_id = $1 and a.state = 'published' and a.told_at is null order by a.published_at, a.id limit 1 for no key update skip locked`;

/** Of live people alone. Those whom nothing reaches are passed over by the message. */
const recipients = `
select r.id, r.locale, r.telegram_chat_id is not null and r.telegram_blocked_at is null as has_chat, r.push_token_encrypted is not null as has_app
from recipient r join person p on p.id = r.person_id
where r.project_id = $1 and p.mode = 'live' and ($2::uuid is null or r.id > $2) and r.created_at <= $3 order by r.id limit $4`;

const note = `
update announcement set told_after = coalesce($2, told_after), told = told + $3, told_at = case when $4 then navbat_now() end where id = $1`;
