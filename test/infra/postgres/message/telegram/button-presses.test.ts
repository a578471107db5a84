import { afterAll, beforeAll, expect, test } from 'vitest';
import { tellPressed } from '../../../../../infra/postgres/message/telegram/button-presses.ts';
import { type Ground, makeProject, openGround } from '../../../../support/api.ts';
import { blocksOf } from '../../blocks.ts';

/** What leads to a handful of rows, and writing an event and its call, in all indexes; the tables have thousands of blocks. */
const BLOCKS_MAX = 300;

let ground: Ground;

beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground.close());

test('a pressed button costs nothing more where its project was told of many others', async () => {
  const { pool } = ground;
  const { project } = await makeProject(ground, 'pressed');
  const { rows } = await pool.query<{ id: string }>(seedPressable, [project.id]);
  await pool.query(
    `insert into webhook_event (id, project_id, mode, type, subject_id, data, happened_at)
     select uuidv7(), $1, 'live', 'telegram.callback', gen_random_uuid(), jsonb_build_object('id', g::text), now() from generate_series(1, 30000) g`,
    [project.id],
  );
  await ground.owner.query('analyze webhook_event');
  expect(await blocksOf(pool, tellPressed, ['7', '700', 'yes', 'query', 700, new Date()])).toBeLessThan(
    BLOCKS_MAX,
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
