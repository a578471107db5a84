import type pg from 'pg';
import { pageOf } from '../../../domain/shared/page.ts';
import type { ClosedChat, ClosedChats } from '../../../domain/telegram/chat.ts';

/** The closed chats that a project sends to. */
export function closedChats(pool: pg.Pool): ClosedChats {
  return {
    list: async (projectId, { limit, after }) => {
      const { rows } = await pool.query<ClosedChat>(
        `select u.id, u.chat_id::text "chatId", c.closed_reason reason, c.closed_at since,
           (select r.id from recipient r where r.telegram_chat_id = u.chat_id and r.project_id = u.project_id limit 1) "recipientId"
         from closed_chat_use u join telegram_chat c on c.chat_id = u.chat_id and c.closed_reason is not null
         where u.project_id = $1 and ($2::uuid is null or u.id < $2) order by u.id desc limit $3`,
        [projectId, after, limit + 1],
      );
      return pageOf(rows, limit);
    },
  };
}
