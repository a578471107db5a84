import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { SessionId } from '../../../../domain/earn/ids.ts';
import { dayAfter } from '../../../../domain/pay/ledger/head.ts';
import { stats } from '../../../../infra/postgres/earn/stats/stats.ts';
import { summaries } from '../../../../infra/postgres/earn/stats/summary.ts';
import { DAY_MS, MB, MINUTE_MS, openEarnWorld } from './earn-world.ts';
import { rowsRead } from './rows-read.ts';

const ALL = { after: null, limit: 100 };
type World = Awaited<ReturnType<typeof openEarnWorld>>;

/** So many bytes more of the session, metered. */
async function shared(world: World, personId: string, sessionId: SessionId, seq: number, down: bigint) {
  await world.forward(MINUTE_MS);
  await world.sessions.report({ sessionId, personId, reports: [world.said(seq, down)] });
  await world.meter([sessionId]);
}

const HOUR_MS = 3_600_000;
/** Of a person with one day: that row, as often as it was written. */
const READ_MAX = 5;

/** Two installations from 20:00 in Tashkent on, one of which goes on the next morning. */
async function twoDays() {
  const world = await openEarnWorld();
  const midnight = DAY_MS - ((world.now().getTime() + 5 * HOUR_MS) % DAY_MS);
  await world.forward(midnight + 20 * HOUR_MS);
  const person = randomUUID();
  const began = await world.sessions.start(person, randomUUID(), world.now(), 'UZ');
  if (!began.ok) throw new Error(began.reason);
  const [first, second] = [began.sessionId, await world.start(person)];
  const today = world.today();
  await shared(world, person, first, 0, 10n * MB);
  await shared(world, person, second, 0, 5n * MB);
  await world.forward(6 * HOUR_MS);
  await shared(world, person, first, 1, 12n * MB);
  return { world, person, today, tomorrow: dayAfter(today) };
}

const PAGES_MAX = 10;

/** All rows, page by page. */
async function walk<Row>(
  page: (after: string | null) => Promise<{ readonly rows: readonly Row[]; readonly hasMore: boolean }>,
  keyOf: (row: Row) => string,
): Promise<readonly Row[]> {
  const seen: Row[] = [];
  for (let after: string | null = null; ;) {
    const { rows, hasMore } = await page(after);
    seen.push(...rows);
    const last = rows.at(-1);
    if (!hasMore || last === undefined) return seen;
    if (seen.length > PAGES_MAX) throw new Error('the pages do not end');
    after = keyOf(last);
  }
}

describe('what a person shared', () => {
  test('is summed by day, over days, by installation and by country, and to the byte', async () => {
    const { world, person, today, tomorrow } = await twoDays();
    const own = stats(world.pool, world.projectId);
    const days = { from: today, to: tomorrow };
    const figures = (sessions: number, mb: number) => ({
      sessions,
      bytes: mb * 1_000_000,
      paidBytes: mb * 1_000_000,
      amount: BigInt(mb) * 100n,
      review: 0n,
    });
    const { rows, hasMore } = await own.daily(person, days, ALL);
    expect(hasMore).toBe(false);
    expect(rows).toEqual([
      { day: tomorrow, tiyinPerMb: 100, isClosed: false, ...figures(1, 2) },
      { day: today, tiyinPerMb: 100, isClosed: false, ...figures(2, 15) },
    ]);
    expect(await own.range(person, days)).toEqual({ days: 2, ...figures(2, 17) });
    expect(await own.range(person, { from: today, to: today })).toEqual({ days: 1, ...figures(2, 15) });
    expect(await own.range(randomUUID(), days)).toEqual({ days: 0, ...figures(0, 0) });
    const devices = await own.devices(person, days, ALL);
    expect(devices.rows.map(({ bytes }) => bytes).toSorted((a, b) => a - b)).toEqual([5_000_000, 12_000_000]);
    expect((await own.countries(person, days, ALL)).rows).toEqual([
      { country: null, ...figures(1, 5) },
      { country: 'UZ', ...figures(1, 12) },
    ]);
  });

  test('began in no country where the files have no code of one', async () => {
    const world = await openEarnWorld();
    const person = randomUUID();
    const began = await world.sessions.start(person, randomUUID(), world.now(), 'Uzbekistan');
    if (!began.ok) throw new Error(began.reason);
    await shared(world, person, began.sessionId, 0, MB);
    const days = { from: world.today(), to: world.today() };
    const { rows } = await stats(world.pool, world.projectId).countries(person, days, ALL);
    expect(rows).toMatchObject([{ country: null, sessions: 1 }]);
  });

  test('comes in pages that hold each row once', async () => {
    const { world, person, today, tomorrow } = await twoDays();
    const own = stats(world.pool, world.projectId);
    const days = { from: today, to: tomorrow };
    const one = (after: string | null) => ({ after, limit: 1 });
    const daily = await walk(
      (after) => own.daily(person, days, one(after)),
      ({ day }) => day,
    );
    expect(daily).toEqual((await own.daily(person, days, ALL)).rows);
    const devices = await walk(
      (after) => own.devices(person, days, one(after)),
      ({ installationId }) => installationId,
    );
    expect(devices).toEqual((await own.devices(person, days, ALL)).rows);
    const countries = await walk(
      (after) => own.countries(person, days, one(after)),
      ({ country }) => country ?? '',
    );
    expect(countries).toEqual((await own.countries(person, days, ALL)).rows);
    expect([daily, devices, countries].map(({ length }) => length)).toEqual([2, 2, 2]);
  });

  test('is paid or looked at, and what was taken back is not earned', async () => {
    const world = await openEarnWorld({ require_counterpart: 'review' });
    const { personId, sessionId, day } = await world.earner(10n * MB);
    const own = () => stats(world.pool, world.projectId).range(personId, { from: day, to: day });
    expect(await own()).toMatchObject({ bytes: 10_000_000, paidBytes: 0, amount: 0n, review: 1_000n });
    await world.decide(sessionId, day, true);
    expect(await own()).toMatchObject({ paidBytes: 10_000_000, amount: 1_000n, review: 0n });
    await world.untilClosable();
    await world.days.close(day, null);
    await world.takeBack(sessionId, day);
    expect(await own()).toMatchObject({ paidBytes: 10_000_000, amount: 0n });
  });

  test('is read by their own days, among ten thousand of others', async () => {
    const world = await openEarnWorld();
    const { personId, day } = await world.earner(MB);
    await world.owner.query(
      `insert into traffic_session (id, project_id, person_id, installation_id, started_at, ended_at, ended_because)
       select uuidv7(), $1, md5('person' || i % 500)::uuid, md5('phone' || i % 500)::uuid, now() - i % 20 * interval '1 day', now(), 'stopped'
       from generate_series(1, 10000) i`,
      [world.projectId],
    );
    await world.owner.query(
      `insert into session_day (session_id, day, project_id, person_id, bytes, payable, tiyin_per_mb, micros, verdict, unpaid, metered_at)
       select s.id, s.started_at::date, s.project_id, s.person_id, 0, 0, 100, 0, 'pay', '[]', now() from traffic_session s where s.ended_at is not null`,
    );
    await world.owner.query('analyze session_day, traffic_session');
    const days = { from: dayAfter(day, -300), to: day };
    const read = {
      daily: await rowsRead(world.pool, 'session_day', (db) =>
        stats(db, world.projectId).daily(personId, days, ALL),
      ),
      range: await rowsRead(world.pool, 'session_day', (db) =>
        stats(db, world.projectId).range(personId, days),
      ),
      devices: await rowsRead(world.pool, 'traffic_session', (db) =>
        stats(db, world.projectId).devices(personId, days, ALL),
      ),
      countries: await rowsRead(world.pool, 'traffic_session', (db) =>
        stats(db, world.projectId).countries(personId, days, ALL),
      ),
    };
    expect(read.daily.out.rows).toHaveLength(1);
    for (const [what, { read: rows }] of Object.entries(read))
      expect(rows, what).toBeLessThanOrEqual(READ_MAX);
  });
});

test('an admin sees all people at once: today, the week, what waits, and withdrawals by state', async () => {
  const world = await openEarnWorld();
  const summary = () => summaries(world.pool, world.projectId).read(world.now());
  const { sessionId, day } = await world.earner(10n * MB);
  await world.earner(5n * MB);
  const first = await summary();
  expect(first).toMatchObject({
    openSessions: 2,
    daysWaiting: [],
    inReview: { days: 0, amount: 0n },
    openWithdrawals: [],
    recentWithdrawals: [],
  });
  // Midnight may be between the two.
  expect(first.lastWeek).toEqual({ people: 2, sessions: 2, mb: 15, amount: 1_500n, review: 0n });
  await world.decide(sessionId, day, false);
  expect((await summary()).lastWeek).toMatchObject({ mb: 15, amount: 500n });
  await world.untilClosable();
  const later = await summary();
  expect(later.today).toEqual({ people: 0, sessions: 0, mb: 0, amount: 0n, review: 0n });
  expect(later.daysWaiting.reduce((sum, { people }) => sum + people, 0)).toBe(2);
  for (const { day: waiting } of later.daysWaiting) await world.days.close(waiting, null);
  expect((await summary()).daysWaiting).toEqual([]);
});
