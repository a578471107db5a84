import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { forgetMarks, reopenChats, telegramChats } from '../../../../infra/postgres/telegram/chats.ts';
import { blocksOf } from '../blocks.ts';
import { type Ground, openGround } from '../../../support/api.ts';

const DAY_MS = 86_400_000;

let ground: Ground;
let pool: pg.Pool;

beforeAll(async () => {
  ground = await openGround();
  ({ pool } = ground);
});
afterAll(() => ground.close());

/** Runs `work` once, behind the given statement of a transaction: where another process may just as well commit. */
function workBehind(statement: number, work: () => Promise<unknown>): pg.Pool {
  const between = new pg.Pool({ connectionString: ground.databaseUrl, max: 1 });
  between.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
    let done = 0;
    client.query = (async (...args: unknown[]) => {
      const answer = await query(...args);
      if (++done === statement) await work();
      return answer;
    }) as typeof client.query;
  });
  onTestFinished(() => between.end());
  return between;
}

test.for([1, 2, 3, 4])(
  'a /stop is kept, though the reconciler forgets what was known of the chat behind statement %i of it',
  async (statement) => {
    const chatId = 900_000 + statement;
    const now = new Date();
    const longAgo = new Date(now.getTime() - 10 * DAY_MS);
    await telegramChats(pool).note(chatId, { kind: 'reached' }, { updateId: 1, at: longAgo });
    const chats = telegramChats(workBehind(statement, () => reopenChats(pool, now)));
    await chats.note(chatId, { kind: 'stopped' }, { updateId: 2, at: now });
    const { rows } = await pool.query('select closed_reason from telegram_chat where chat_id = $1', [chatId]);
    expect(rows).toEqual([{ closed_reason: 'opted-out' }]);
  },
);

/** What leads to a handful of rows; the tables of these tests have thousands of blocks. */
const BLOCKS_MAX = 50;
test('what the reconciler asks each second costs nothing more where many chats are closed or were heard from today', async () => {
  await pool.query(
    `insert into telegram_chat (chat_id, unreachable, unreachable_at) select g, 'bot-blocked', now() from generate_series(1, 40000) g`,
  );
  await pool.query(
    `insert into telegram_chat (chat_id, reach_update_id, reach_at) select g, g, now() from generate_series(100001, 120000) g`,
  );
  await ground.owner.query('analyze telegram_chat');
  expect(await blocksOf(pool, forgetMarks, [new Date(Date.now() - 3 * DAY_MS), 500])).toBeLessThan(
    BLOCKS_MAX,
  );
});
