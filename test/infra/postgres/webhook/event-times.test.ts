import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ground, makeProject, openGround } from '../../../support/api.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground.close());

test('an event tells every time of its own as the API does, and leaves what the project gave as it is', async () => {
  const { project } = await makeProject(ground, 'times');
  const client = await ground.pool.connect();
  await client.query(`set time zone 'Asia/Tashkent'`);
  const { rows } = await client.query<{ data: Record<string, unknown> }>(
    `insert into webhook_event (id, project_id, mode, type, subject_id, data, happened_at)
     values ($1, $2, 'live', 'test', $1, jsonb_build_object(
       'created_at', timestamptz '2026-01-15 10:00:00.123456+00', 'expires_at', timestamptz '2026-01-15 10:05:00+00',
       'closed_at', null, 'data', '2026-01-15T10:00:00+05:00'::text, 'sends', 1, 'metadata', jsonb_build_object('at', '2026-01-15T10:00:00+05:00')), now())
     returning data`,
    [randomUUID(), project.id],
  );
  await client.query('reset time zone');
  client.release();
  expect(rows[0]?.data).toEqual({
    created_at: '2026-01-15T10:00:00.123Z',
    expires_at: '2026-01-15T10:05:00.000Z',
    closed_at: null,
    data: '2026-01-15T10:00:00+05:00',
    sends: 1,
    metadata: { at: '2026-01-15T10:00:00+05:00' },
  });
});
