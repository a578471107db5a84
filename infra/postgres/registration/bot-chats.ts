import type pg from 'pg';
import type { Chats } from '../../../domain/registration/port.ts';

/** What the bot knows of chats: an opted-out or blocked one gets nothing, from no project. */
export function botChats(pool: pg.Pool): Chats {
  return {
    heardFrom: async (chatId, now) => {
      const { rows } = await pool.query<{ opted_out: boolean }>(hearFrom, [chatId, now]);
      return { optedOut: rows[0]?.opted_out ?? false };
    },
    open: async (chatId, now) => {
      await pool.query(openChat, [chatId, now]);
    },
    close: async (chatId, because, now) => {
      await pool.query(closeChat, [chatId, because, now]);
    },
  };
}

const hearFrom = `
with silent as (select from closed_chat where chat_id = $1 and reason = 'opted-out'),
opened as (delete from closed_chat where chat_id = $1 and reason <> 'opted-out'),
freed as (
  update recipient set telegram_blocked_at = null, updated_at = $2
  where telegram_chat_id = $1 and telegram_blocked_at is not null and not exists (select from silent))
select exists (select from silent) opted_out`;

const openChat = `
with opened as (delete from closed_chat where chat_id = $1)
update recipient set telegram_blocked_at = null, updated_at = $2 where telegram_chat_id = $1 and telegram_blocked_at is not null`;

/** A wish to hear nothing outlives a block and its end. */
const closeChat = `
with closed as (
  insert into closed_chat as c (chat_id, reason, closed_at) values ($1, $2, $3)
  on conflict (chat_id) do update set closed_at = $3,
    reason = case when c.reason = 'opted-out' then c.reason else excluded.reason end)
update recipient set telegram_blocked_at = coalesce(telegram_blocked_at, $3), updated_at = $3 where telegram_chat_id = $1`;
