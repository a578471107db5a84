import type pg from 'pg';
import type { DueSupportNotice, SupportNotices } from '../../../../domain/earn/support/notice.ts';
import type { Locale } from '../../../../domain/shared/locale.ts';
import { inTransaction } from '../../engine/transaction.ts';

/** Answers of staff that were not handed over yet. Two processes at once take others. */
export const supportNotices = (pool: pg.Pool): SupportNotices => ({
  take: async (limit, tell) => {
    // Nearly every look finds nothing, and then holds nothing.
    const { rows: waiting } = await pool.query({ name: 'support-notices-wait', text: anyWaiting });
    if (waiting.length === 0) return 0;
    return inTransaction(pool, async (tx) => {
      const { rows } = await tx.query<NoticeRow>(takeDue, [limit]);
      await tell(rows.map(noticeOf));
      await tx.query(markHanded, [rows.map(({ id }) => id)]);
      return rows.length;
    });
  },
});

interface NoticeRow {
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  readonly locale: Locale;
  readonly chats: readonly string[];
}

const noticeOf = ({ chats, ...row }: NoticeRow): DueSupportNotice => ({ ...row, chatIds: chats });

const anyWaiting = 'select from support_message where staff_id is not null and handed_at is null limit 1';

/** The chats that the person has proven, and the one that the project knows. */
const takeDue = `
select m.id, r.subject, m.text, r.locale,
  coalesce((select json_agg(c.chat) from (
    select c.telegram_id::text as chat from person_chat c where c.person_id = r.person_id and c.mode = 'live'
    union
    select x.telegram_chat_id::text from recipient x
      where x.project_id = r.project_id and x.person_id = r.person_id and x.telegram_chat_id is not null and x.telegram_blocked_at is null) c), '[]') chats
from support_message m join support_request r on r.id = m.request_id
where m.staff_id is not null and m.handed_at is null order by m.id limit $1 for no key update of m skip locked`;

const markHanded = 'update support_message set handed_at = navbat_now() where id = any($1)';
