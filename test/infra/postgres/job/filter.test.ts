import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobFilter } from '../../../../domain/staff/ops.ts';
import { jobConditions, parameters } from '../../../../infra/postgres/job/filter.ts';
import { openGround } from '../world.ts';

let world: Awaited<ReturnType<typeof openGround>>;
let projectId: string;
beforeAll(async () => {
  world = await openGround();
  projectId = (await world.makeProject()).projectId;
});
afterAll(() => world.close());

async function insertJob(reason: string | null, at = new Date(), requestId = 'none'): Promise<string> {
  const id = uuidv7({ msecs: at.getTime() });
  await world.pool.query(
    `insert into job (id, kind, project_id, subject_id, payload, labels, state, reason, run_at, deadline_at, accepted_at, finished_at, request_id)
     values ($1, 'push', $2, gen_random_uuid(), '{}', '{}', 'failed', $3, now(), now(), now(), now(), $4)`,
    [id, projectId, reason, requestId],
  );
  return id;
}

async function found(filter: Partial<JobFilter>): Promise<string[]> {
  const bound = parameters();
  const where = jobConditions(filter as JobFilter, bound);
  const { rows } = await world.pool.query<{ id: string }>(
    `select id from job where ${where} order by id`,
    bound.values,
  );
  return rows.map(({ id }) => id);
}

test('a window holds the first millisecond and not the one at its end, whatever else the id says', async () => {
  const from = new Date('2026-01-15T10:00:00.000Z');
  const until = new Date('2026-01-15T10:00:00.002Z');
  const at = (ms: number) => insertJob('window', new Date(from.getTime() + ms));
  await at(-1);
  const within = [await at(0), await at(0), await at(1)];
  await at(2);
  expect((await found({ reason: 'window', since: from, until })).toSorted()).toEqual(within.toSorted());
});

test('what staff search for is text and no pattern; the end of an id is found as lists print it', async () => {
  const percent = await insertJob('100%');
  const plain = await insertJob('100x');
  expect(await found({ text: '100%' })).toEqual([percent]);
  expect(await found({ text: '100_' })).toEqual([]);
  expect(await found({ text: `…${plain.slice(-12).toUpperCase()}` })).toEqual([plain]);
  const requested = await insertJob('other', new Date(), 'Req-17');
  expect(await found({ text: 'REQ-17' })).toEqual([requested]);
});
