import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { SessionId } from '../../../domain/earn/ids.ts';
import { METER_SESSIONS_MAX } from '../../../domain/earn/traffic/job.ts';
import type { JobId } from '../../../domain/shared/ids.ts';
import { closesAt } from '../../../domain/earn/day/day.ts';
import { closeDays } from '../../../workers/earn/close-days.ts';
import { meterProvider } from '../../../workers/earn/meter.ts';
import { MB, MINUTE_MS, openEarnWorld } from '../../infra/postgres/earn/earn-world.ts';

test('a day is closed at 00:05, once, by however many processes', async () => {
  const world = await openEarnWorld();
  const { personId, day } = await world.earner(40n * MB);
  const closed: [string, number][] = [];
  const tick = () => closeDays({ days: world.days, now: world.now, onClosed: (...of) => closed.push(of) })();
  await world.forward(closesAt(day).getTime() + 4 * MINUTE_MS - world.now().getTime());
  await tick();
  expect(closed).toEqual([]);
  await world.forward(2 * MINUTE_MS);
  await Promise.all([tick(), tick(), tick()]);
  await tick();
  expect(await world.transfers()).toEqual([`earn:${personId}:${day} earn available 40000000`]);
  expect(closed.map(([of]) => of)).toContain(day);
});

test('days that close for nobody keep no later day waiting', async () => {
  const world = await openEarnWorld();
  const { personId, day } = await world.earner(40n * MB);
  // Somebody's sessions of forty days before can't be metered.
  await world.owner.query(
    `with old as (
       insert into traffic_session (id, project_id, person_id, installation_id, started_at, ended_at, ended_because, job_id, asked_at)
       select gen_random_uuid(), $1, $2, gen_random_uuid(), d, d + interval '1 hour', 'stopped', gen_random_uuid(), d
       from generate_series($3::timestamptz - interval '40 days', $3::timestamptz - interval '1 day', interval '1 day') d
       returning id, project_id, person_id, (started_at at time zone 'Asia/Tashkent')::date as day)
     insert into session_day (session_id, day, project_id, person_id, bytes, payable, tiyin_per_mb, micros, verdict, unpaid, metered_at)
     select id, day, project_id, person_id, 0, 0, 100, 0, 'pay', '[]', now() from old`,
    [world.projectId, randomUUID(), world.now()],
  );
  await world.untilClosable();
  const closed: string[] = [];
  await closeDays({ days: world.days, now: world.now, onClosed: (of) => void closed.push(of) })();
  expect(closed).toEqual([day]);
  expect(await world.transfers()).toEqual([`earn:${personId}:${day} earn available 40000000`]);
});

const session = (n: number) => `0198c2f4-7a10-7b3e-9f52-${String(n).padStart(12, '0')}` as SessionId;
const job = { jobId: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b24' as JobId };

/** So many sessions wait, of which these can't be metered. */
function meterOf(count: number, bad: readonly SessionId[]) {
  const all = Array.from({ length: count }, (_, n) => session(n));
  const [metered, told]: [SessionId[], (SessionId | null)[]] = [[], []];
  const provider = meterProvider({
    waiting: async (_job, after) =>
      all.filter((id) => after === null || id > after).slice(0, METER_SESSIONS_MAX),
    meter: async (id) => {
      if (bad.includes(id)) throw new Error('there is no price');
      metered.push(id);
    },
    onFault: (_error, id) => told.push(id),
  });
  return { provider, metered, told };
}

test('a job meters all sessions that wait for it, and one that can not be keeps no other waiting', async () => {
  const { signal } = new AbortController();
  const many = meterOf(2 * METER_SESSIONS_MAX + 1, []);
  expect(await many.provider.send(job, signal)).toMatchObject({ kind: 'accepted' });
  expect(many.metered).toHaveLength(2 * METER_SESSIONS_MAX + 1);
  const some = meterOf(METER_SESSIONS_MAX + 2, [session(3)]);
  expect(await some.provider.send(job, signal)).toEqual({ kind: 'faulted', reason: 'provider-internal' });
  expect(some.metered).toHaveLength(METER_SESSIONS_MAX + 1);
  expect(some.told).toEqual([session(3)]);
});

test('a job is tried again where nobody can say who waits, or its time is up', async () => {
  const told: unknown[] = [];
  const fault = new Error('Postgres is away');
  const { signal } = new AbortController();
  const away = meterProvider({
    waiting: () => Promise.reject(fault),
    meter: async () => undefined,
    onFault: (error) => told.push(error),
  });
  expect(await away.send(job, signal)).toEqual({ kind: 'faulted', reason: 'provider-internal' });
  expect(told).toEqual([fault]);
  const many = meterOf(2 * METER_SESSIONS_MAX, []);
  expect(await many.provider.send(job, AbortSignal.abort())).toMatchObject({ kind: 'faulted' });
  expect(many.metered).toHaveLength(METER_SESSIONS_MAX);
});
