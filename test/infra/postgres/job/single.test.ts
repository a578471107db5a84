import { afterAll, beforeAll, expect, test } from 'vitest';
import { webhook } from '../../../../domain/webhook/job.ts';
import { jobStore } from '../../../../infra/postgres/job/attempts.ts';
import { type SingleJobRow, singleJobs } from '../../../../infra/postgres/job/single.ts';
import { guard } from '../../../../infra/providers/provider-guard.ts';
import { singleWake } from '../../../../workers/engine/single.ts';
import { acceptEcho, echoTable } from '../../../support/echo/echo.ts';
import { cave } from '../../../support/echo/worker.ts';
import { openGround } from '../world.ts';

let world: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  world = await openGround();
  await world.owner.query(echoTable);
});
afterAll(() => world.close());

test('a queue entry on the queue of another kind is let go, and its job stays as it was', async () => {
  const { projectId, slug } = await world.makeProject();
  const id = await acceptEcho(world.pool, { id: projectId, slug }, 'hello');
  const jobRow = async () => (await world.pool.query('select * from job where id = $1', [id])).rows[0];
  const before = await jobRow();
  const now = () => new Date();
  const { heard, provider } = cave();
  const guarded = guard(provider, { inFlightMax: 1, clock: now });
  const wake = singleWake({
    definition: webhook,
    read: singleJobs<SingleJobRow, object>(world.pool, { kind: webhook.kind, work: () => null }),
    store: jobStore(world.pool, now, {}),
    providerOf: () => guarded,
    now,
    random: () => 0,
    onAttempt: () => undefined,
    onFinished: () => undefined,
  });
  expect(await wake(id, new AbortController().signal)).toMatchObject({ reason: 'no-such-job' });
  expect(await jobRow()).toEqual(before);
  expect(heard).toEqual([]);
});
