import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { tellPressed } from '../../../../../infra/postgres/message/telegram/button-presses.ts';
import {
  forgetMarks,
  reopenChats,
  telegramChats,
} from '../../../../../infra/postgres/message/telegram/chats.ts';
import { type Ground, makeProject, openGround } from '../../../../support/api.ts';

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
/** What writing an event and its call touches, in all indexes. */
const EVENT_BLOCKS = 250;

async function blocksOf(sql: string, values: readonly unknown[]): Promise<number> {
  const { rows } = await pool.query<{ 'QUERY PLAN': readonly [{ Plan: Record<string, number> }] }>(
    `explain (analyze, buffers, format json) ${sql}`,
    [...values],
  );
  const plan = rows[0]?.['QUERY PLAN'][0].Plan;
  return (plan?.['Shared Hit Blocks'] ?? Infinity) + (plan?.['Shared Read Blocks'] ?? Infinity);
}

test('what the reconciler asks each second costs nothing more where many chats are closed or were heard from today', async () => {
  await pool.query(
    `insert into telegram_chat (chat_id, unreachable, unreachable_at) select g, 'bot-blocked', now() from generate_series(1, 40000) g`,
  );
  await pool.query(
    `insert into telegram_chat (chat_id, reach_update_id, reach_at) select g, g, now() from generate_series(100001, 120000) g`,
  );
  await pool.query('analyze telegram_chat');
  expect(await blocksOf(forgetMarks, [new Date(Date.now() - 3 * DAY_MS), 500])).toBeLessThan(BLOCKS_MAX);
});

test('a pressed button costs nothing more where its project was told of many others', async () => {
  const { project } = await makeProject(ground, 'pressed');
  const { rows } = await pool.query<{ id: string }>(seedPressable, [project.id]);
  await pool.query(
    `insert into webhook_event (id, project_id, mode, type, subject_id, data, happened_at)
     select uuidv7(), $1, 'live', 'telegram.callback', gen_random_uuid(), jsonb_build_object('id', g::text), now() from generate_series(1, 30000) g`,
    [project.id],
  );
  await pool.query('analyze webhook_event');
  expect(await blocksOf(tellPressed, ['7', '700', 'yes', 'query', 700, new Date()])).toBeLessThan(
    BLOCKS_MAX + EVENT_BLOCKS,
  );
  const told = await pool.query(`select data ->> 'data' said from webhook_event where subject_id = $1`, [
    rows[0]?.id,
  ]);
  expect(told.rows).toEqual([{ said: 'yes' }]);
});

const seedPressable = `
with b as (
  insert into broadcast (id, project_id, kind, mode, content, state, total, send_at, expires_at, created_at)
  values (gen_random_uuid(), $1, 'telegram-message', 'live', '{"buttons": [[{"text": "Yes", "callback_data": "yes"}]]}', 'finished', 1, now(), now(), now())
  returning id),
e as (
  insert into webhook_endpoint (id, project_id, mode, url, host, created_at, updated_at)
  values (gen_random_uuid(), $1, 'live', 'https://example.com/', 'example.com', now(), now())),
j as (
  insert into job (id, kind, project_id, subject_id, mode, chat_id, payload, labels, state, run_at, deadline_at, accepted_at, finished_at, scheduled_at)
  select gen_random_uuid(), 'telegram-message', $1, b.id, 'live', 700, '{}', '{}', 'completed', now(), now(), now(), now(), now() from b
  returning id)
insert into attempt (job_id, n, project_id, channel, provider, opened_at, closed_at, outcome, provider_reference)
select id, 1, $1, 'telegram', 'telegram-bot', now(), now(), 'completed', '7' from j returning job_id id`;
