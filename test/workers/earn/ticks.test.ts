import { expect, test } from 'vitest';
import type { SessionId } from '../../../domain/earn/ids.ts';
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

test('a session that could not be metered is tried again, and somebody is told why', async () => {
  const told: unknown[] = [];
  const fault = new Error('Postgres is away');
  const { signal } = new AbortController();
  const work = { sessionId: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b24' as SessionId };
  const away = meterProvider(
    () => Promise.reject(fault),
    (error) => told.push(error),
  );
  expect(await away.send(work, signal)).toEqual({ kind: 'faulted', reason: 'provider-internal' });
  expect(told).toEqual([fault]);
  const there = meterProvider(
    async () => undefined,
    (error) => told.push(error),
  );
  expect(await there.send(work, signal)).toMatchObject({ kind: 'accepted' });
});
