import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openGround } from '../world.ts';

const DAY_MS = 86_400_000;
let world: Awaited<ReturnType<typeof openGround>>;
let projectId: string;
beforeAll(async () => {
  world = await openGround();
  projectId = (await world.makeProject()).projectId;
});
afterAll(() => world.close());

const days = (count: number) => new Date(Date.now() - count * DAY_MS);
const retire = () => world.reconciler.retire(new Date(), { jobDays: 30, phoneDays: 7 });

async function insertJob(finishedAt: Date | null, mode: 'live' | 'test' = 'live'): Promise<string> {
  const id = randomUUID();
  await world.pool.query(
    `insert into job (id, kind, project_id, subject_id, mode, payload, labels, state, run_at, deadline_at, accepted_at, finished_at)
     values ($1, 'push', $2, gen_random_uuid(), $3, '{}', '{}', $4, now(), now(), now(), $5)`,
    [id, projectId, mode, finishedAt ? 'completed' : 'queued', finishedAt],
  );
  return id;
}

test('finished jobs leave after their days, those of test keys after one, and what is not finished never', async () => {
  const [old, testOld] = [await insertJob(days(31)), await insertJob(days(2), 'test')];
  const stay = [await insertJob(days(29)), await insertJob(days(0.9), 'test'), await insertJob(null)];
  await retire();
  const { rows } = await world.pool.query<{ id: string }>('select id from job where id = any($1)', [
    [old, testOld, ...stay],
  ]);
  expect(rows.map(({ id }) => id).toSorted()).toEqual(stay.toSorted());
});

test('what attempts cost is kept by the day they began, after the attempts have left', async () => {
  const id = await insertJob(days(31));
  await world.pool.query(
    `insert into attempt (job_id, n, project_id, channel, provider, opened_at, closed_at, outcome, cost_micros)
     values ($1, 1, $2, 'sms', 'twilio', '2026-01-14T23:59:59Z', now(), 'failed', null),
       ($1, 2, $2, 'sms', 'twilio', '2026-01-15T00:00:01Z', now(), 'snoozed', null),
       ($1, 3, $2, 'sms', 'twilio', '2026-01-15T00:00:02Z', now(), 'completed', 52000)`,
    [id, projectId],
  );
  await retire();
  await retire();
  const { rows } = await world.pool.query(
    `select day::text, outcome, attempts::int, cost_micros::int cost from usage_day where project_id = $1 order by day`,
    [projectId],
  );
  expect(rows).toEqual([
    { day: '2026-01-14', outcome: 'failed', attempts: 1, cost: 0 },
    { day: '2026-01-15', outcome: 'completed', attempts: 1, cost: 52_000 },
  ]);
});

test('a batch that was published a minute ago leaves the outbox; one that was not stays, however old', async () => {
  await world.pool.query('delete from outbox');
  await world.owner.query(
    `insert into outbox (job_ids, at, published_at) values ('{}', $1, null), ('{}', $1, now() - interval '61 s'), ('{}', $1, now() - interval '50 s')`,
    [days(3)],
  );
  await retire();
  const { rows } = await world.pool.query('select published_at is null open from outbox order by id');
  expect(rows).toEqual([{ open: true }, { open: false }]);
});
