import type pg from 'pg';
import type { BotUpdates } from '../../../../domain/identity/registration/port.ts';
import { inTransaction } from '../../engine/transaction.ts';

/** Longer than the bot works on one update: whoever claimed it before that has died over it. */
const CLAIM_MS = 30_000;
/** Telegram gives up delivering after a day. */
const KEPT_MS = 2 * 86_400_000;

/** @param botId the digits of the bot's token, as each bot counts its updates for itself. */
export function botUpdates(pool: pg.Pool, botId: number): BotUpdates {
  return {
    claim: async (updateId, chatId, now) => {
      const before = (ms: number) => new Date(now.getTime() - ms);
      const [row] = await inTransaction(pool, async (tx) => {
        if (chatId !== null) await tx.query(lockChat, [botId, chatId]);
        const values = [botId, updateId, now, before(CLAIM_MS), before(KEPT_MS), chatId];
        return (await tx.query<{ fresh: boolean; done: boolean }>(claimUpdate, values)).rows;
      });
      if (row?.fresh) return 'claimed';
      return row?.done ? 'done' : 'busy';
    },
    finish: async (updateId, now) => {
      await pool.query('update bot_update set done_at = $3 where bot_id = $1 and update_id = $2', [
        botId,
        updateId,
        now,
      ]);
    },
    release: async (updateId) => {
      await pool.query('delete from bot_update where bot_id = $1 and update_id = $2 and done_at is null', [
        botId,
        updateId,
      ]);
    },
  };
}

/** Lock first, then read: of two updates of one chat that are claimed at once, the second sees the first one's claim. */
const lockChat = `select pg_advisory_xact_lock(hashtextextended('bot ' || $1::bigint || ' chat ' || $2::bigint, 0))`;

/** The row itself is the lock: of two that claim at once, one waits for the other's commit and finds its claim fresh. */
const claimUpdate = `
with forgotten as (delete from bot_update where claimed_at < $5),
claimed as (
  insert into bot_update (bot_id, update_id, claimed_at, chat_id)
  select $1, $2, $3, $6 where not exists (
    select from bot_update where bot_id = $1 and chat_id = $6 and update_id <> $2 and done_at is null and claimed_at >= $4)
  on conflict (bot_id, update_id) do update set claimed_at = $3 where bot_update.done_at is null and bot_update.claimed_at < $4
  returning true fresh)
select fresh, false done from claimed
union all
select false, done_at is not null from bot_update where bot_id = $1 and update_id = $2 and not exists (select from claimed)`;
