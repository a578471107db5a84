import type pg from 'pg';
import {
  afterFact,
  afterRefusal,
  type ChatClosing,
  type Chats,
  type ChatState,
  isChatClosing,
  type StaffChats,
  type StaffOpening,
  type UnreachableChat,
} from '../../../domain/telegram/chat.ts';
import { inTransaction } from '../engine/transaction.ts';

interface ChatRow {
  readonly opted_out_at: Date | null;
  readonly unreachable: Exclude<ChatClosing, 'opted-out'> | null;
  readonly unreachable_at: Date | null;
  readonly opened_at: Date | null;
  readonly wish_update_id: string | null;
  readonly wish_at: Date | null;
  readonly reach_update_id: string | null;
  readonly reach_at: Date | null;
}

/** What the bot knows of chats: a closed one gets nothing, from no project. */
export function telegramChats(pool: pg.Pool): Chats & StaffChats {
  return {
    note: async (chatId, fact, by) => {
      const after = await change(pool, String(chatId), by.at, (state) => afterFact(state, fact, by));
      return { optedOut: after.optedOutAt !== null };
    },
    close: async (chatId, because, sentAt, now) => {
      if (!isChatClosing(because) || because === 'opted-out') return;
      await change(pool, chatId, now, (state) => afterRefusal(state, because, sentAt, now));
    },
    move: (from, to, now) => inTransaction(pool, (tx) => move(tx, from, to, now)),
    unreachable: async (limit) => {
      const { rows } = await pool.query<UnreachableChat>(
        `select chat_id::text "chatId", unreachable reason, unreachable_at since from telegram_chat
         where unreachable is not null and opted_out_at is null order by unreachable_at desc limit $1`,
        [limit],
      );
      return rows;
    },
    open: (chatId, now) => inTransaction(pool, (tx) => openChat(tx, chatId, now)),
  };
}

/** In the caller's transaction. */
export async function openChat(tx: pg.PoolClient, chatId: string, now: Date): Promise<StaffOpening> {
  let was: ChatState | undefined;
  await changeIn(tx, chatId, now, (state) => {
    was = state;
    return state.optedOutAt === null && state.unreachable
      ? { ...state, unreachable: null, openedAt: now }
      : state;
  });
  if (was?.optedOutAt) return 'opted-out';
  return was?.unreachable ? 'opened' : 'not-closed';
}

const change = (
  pool: pg.Pool,
  chatId: string,
  now: Date,
  decide: (state: ChatState) => ChatState,
): Promise<ChatState> => inTransaction(pool, (tx) => changeIn(tx, chatId, now, decide));

/**
 * Locks the chat's row and reads it, in one statement: of two that change it at once the second sees what the first wrote, and the
 * reconciler can't forget it in between.
 */
async function changeIn(
  tx: pg.PoolClient,
  chatId: string,
  now: Date,
  decide: (state: ChatState) => ChatState,
): Promise<ChatState> {
  const { rows } = await tx.query<ChatRow>(lockChat, [chatId]);
  const before = stateOf(rows[0]);
  const after = decide(before);
  if (after !== before) await write(tx, chatId, after, now);
  return after;
}

const lockChat = `
insert into telegram_chat as c (chat_id) values ($1) on conflict (chat_id) do update set chat_id = c.chat_id
returning opted_out_at, unreachable, unreachable_at, opened_at, wish_update_id, wish_at, reach_update_id, reach_at`;

const markOf = (updateId: string | null | undefined, at: Date | null | undefined) =>
  updateId == null || at == null ? null : { updateId: Number(updateId), at };

function stateOf(row: ChatRow | undefined): ChatState {
  return {
    optedOutAt: row?.opted_out_at ?? null,
    unreachable:
      row?.unreachable && row.unreachable_at ? { because: row.unreachable, since: row.unreachable_at } : null,
    openedAt: row?.opened_at ?? null,
    wish: markOf(row?.wish_update_id, row?.wish_at),
    reach: markOf(row?.reach_update_id, row?.reach_at),
  };
}

/** The chat, and with it whoever stands for it in each project: a code is never sent to a chat that takes none. */
async function write(tx: pg.PoolClient, chatId: string, state: ChatState, now: Date): Promise<void> {
  const { optedOutAt, unreachable, openedAt, wish, reach } = state;
  await tx.query(
    `update telegram_chat set opted_out_at = $2, unreachable = $3, unreachable_at = $4, opened_at = $5, wish_update_id = $6,
       wish_at = $7, reach_update_id = $8, reach_at = $9 where chat_id = $1`,
    [
      chatId,
      optedOutAt,
      unreachable?.because ?? null,
      unreachable?.since ?? null,
      openedAt,
      wish?.updateId ?? null,
      wish?.at ?? null,
      reach?.updateId ?? null,
      reach?.at ?? null,
    ],
  );
  const closedAt = optedOutAt ?? unreachable?.since ?? null;
  await tx.query(
    closedAt ? closeRecipients : openRecipients,
    closedAt ? [chatId, now, closedAt] : [chatId, now],
  );
}

const closeRecipients = `
update recipient set telegram_blocked_at = $3, updated_at = $2 where telegram_chat_id = $1 and telegram_blocked_at is null`;
const openRecipients = `
with forgotten as (delete from closed_chat_use where chat_id = $1)
update recipient set telegram_blocked_at = null, updated_at = $2 where telegram_chat_id = $1 and telegram_blocked_at is not null`;

/**
 * Who sends to the old id is led on from now on; who named the chat in a recipient finds the new id there. The row of the old id
 * is the lock: of two that tell of the same move the second finds it made.
 */
async function move(tx: pg.PoolClient, from: string, to: string, now: Date): Promise<void> {
  if (from === to) return;
  const moved = await tx.query(
    `insert into telegram_chat as c (chat_id, migrated_to, migrated_at) values ($1, $2, $3)
     on conflict (chat_id) do update set migrated_to = $2, migrated_at = $3, unreachable = null, unreachable_at = null
     where c.migrated_to is distinct from $2`,
    [from, to, now],
  );
  if (moved.rowCount === 0) return;
  // The bot is in it: that is how it knows.
  await tx.query(
    `insert into telegram_chat as c (chat_id, opened_at) values ($1, $2)
     on conflict (chat_id) do update set unreachable = null, unreachable_at = null, opened_at = $2`,
    [to, now],
  );
  await tx.query('delete from closed_chat_use where chat_id = any($1)', [[from, to]]);
  await tx.query(tellMoved, [from, to, now]);
  await tx.query(
    `update recipient set telegram_chat_id = $2, telegram_blocked_at = null, updated_at = $3 where telegram_chat_id = $1`,
    [from, to, now],
  );
}

/** Every project that has the chat in a recipient, or has sent to it by its id. */
const tellMoved = `
with used as (
  select project_id, id recipient_id from recipient where telegram_chat_id = $1
  union all select project_id, null from job where chat_id = $1 and chat_id < 0 and mode = 'live'),
projects as (select project_id, (array_agg(recipient_id) filter (where recipient_id is not null))[1] recipient_id from used group by 1)
select webhook_emit(project_id, 'live', 'telegram.chat_migrated', coalesce(recipient_id, project_id), $3::timestamptz,
  jsonb_build_object('from_chat_id', $1::bigint, 'to_chat_id', $2::bigint, 'recipient_id', recipient_id, 'migrated_at', $3::timestamptz), null, null)
from projects where webhook_is_wanted(project_id, 'live', 'telegram.chat_migrated', null) order by project_id`;

/** For the sender: a move that cannot be written down is told of again by the next message. */
export const movesTo =
  (chats: Pick<Chats, 'move'>, now: () => Date, onError: (error: unknown) => void) =>
  (from: string, to: string): Promise<void> =>
    chats.move(from, to, now()).catch(onError);

/** A week: whatever closed a chat may have passed unseen, and one message asks again. A `/stop` holds until its person takes it back. */
const UNREACHABLE_DAYS = 7;
/** Marks are no measure any more after two days (`domain/telegram/chat.ts`). */
const MARKS_DAYS = 3;
const ROWS_MAX = 500;

/** Opens chats that were closed long ago, and forgets what is known of open ones; how many were opened. */
export async function reopenChats(pool: pg.Pool, now: Date): Promise<number> {
  const ago = (days: number) => new Date(now.getTime() - days * 86_400_000);
  const { rows } = await pool.query<{ opened: number }>(reopen, [now, ago(UNREACHABLE_DAYS), ROWS_MAX]);
  await pool.query(forgetMarks, [ago(MARKS_DAYS), ROWS_MAX]);
  return rows[0]?.opened ?? 0;
}

/** The pick's conditions stand in its lock; a row that somebody has locked waits for the next round. */
const reopen = `
with old as materialized (
  select chat_id from telegram_chat where unreachable is not null and unreachable_at < $2
  order by unreachable_at limit $3 for update skip locked),
opened as (
  update telegram_chat c set unreachable = null, unreachable_at = null, opened_at = $1 from old where c.chat_id = old.chat_id
  returning c.chat_id, c.opted_out_at is null open),
forgotten as (delete from closed_chat_use where chat_id in (select chat_id from opened where open)),
freed as (
  update recipient set telegram_blocked_at = null, updated_at = $1
  where telegram_chat_id in (select chat_id from opened where open) and telegram_blocked_at is not null)
select count(*)::int opened from opened where open`;

const CHAT_IS_OPEN = 'closed_reason is null and migrated_to is null';
/** When something was last said of a chat; long ago where nothing was. */
const LAST_MARK = `coalesce(greatest(wish_at, reach_at, opened_at), '-infinity')`;

export const forgetMarks = `
delete from telegram_chat where chat_id = any(array(
  select chat_id from telegram_chat where ${CHAT_IS_OPEN} and ${LAST_MARK} <= $1
  order by ${LAST_MARK} limit $2 for update skip locked))`;
