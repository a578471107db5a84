import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { SessionId } from '../../../../domain/earn/ids.ts';
import type { JobId, ProjectId } from '../../../../domain/shared/ids.ts';
import { waitingSessions } from '../../../../infra/postgres/earn/traffic/jobs.ts';
import { CARRIED_REPORTS_MAX, SESSIONS_A_DAY_MAX } from '../../../../domain/earn/traffic/port.ts';
import { DAY_MS, MB, MINUTE_MS, openEarnWorld } from './earn-world.ts';

describe('a session', () => {
  test('is one of its installation at a time, for a day', async () => {
    const world = await openEarnWorld();
    const [person, installation] = [randomUUID(), randomUUID()];
    const twice = await Promise.all(
      [1, 2, 3].map(() => world.sessions.start(person, installation, world.now())),
    );
    expect(twice.filter(({ ok }) => ok)).toHaveLength(1);
    const open = twice.find(({ ok }) => ok) as { sessionId: SessionId };
    expect(twice.filter(({ ok }) => !ok)).toEqual([
      { ok: false, reason: 'session-open', sessionId: open.sessionId },
      { ok: false, reason: 'session-open', sessionId: open.sessionId },
    ]);
    await world.forward(DAY_MS);
    expect(await world.rounds.expire()).toBe(1);
    const [ended] = (await world.sessions.list(person, {}, { limit: 10, after: null })).rows;
    expect(ended?.endedAt?.getTime()).toBe((ended?.startedAt.getTime() ?? 0) + DAY_MS);
    expect((await world.sessions.start(person, installation, world.now())).ok).toBe(true);
  });

  test('is started so often in 24 hours, and no more', async () => {
    const world = await openEarnWorld();
    const [personId, installation] = [randomUUID(), randomUUID()];
    const start = () => world.sessions.start(personId, installation, world.now());
    for (let n = 0; n < SESSIONS_A_DAY_MAX; n++) {
      const started = await start();
      if (!started.ok) throw new Error(started.reason);
      await world.pool.query('select traffic_stop($1, $2, $3)', [
        world.projectId,
        personId,
        started.sessionId,
      ]);
    }
    expect(await start()).toEqual({ ok: false, reason: 'too-many-sessions' });
    await world.forward(DAY_MS);
    expect((await start()).ok).toBe(true);
  });

  test('is refused from a fourth installation, and where nobody set a price', async () => {
    const world = await openEarnWorld();
    const person = randomUUID();
    for (let n = 0; n < 3; n++) await world.start(person);
    expect(await world.sessions.start(person, randomUUID(), world.now())).toEqual({
      ok: false,
      reason: 'too-many-installations',
    });
    const { projectId } = await world.makeProject();
    await world.pool.query('select ledger_book_open($1)', [projectId]);
    const { rows } = await world.pool.query('select outcome from traffic_start($1, $2, $3, $4)', [
      projectId,
      randomUUID(),
      person,
      randomUUID(),
    ]);
    expect(rows).toEqual([{ outcome: 'no-price' }]);
  });
});

describe('reports', () => {
  test('that many send at once are taken in few commits, each number once, with one job of the session', async () => {
    const world = await openEarnWorld();
    const personId = randomUUID();
    const sessionId = await world.start(personId);
    await world.forward(60 * MINUTE_MS);
    const reports = Array.from({ length: 50 }, (_, n) => ({
      ...world.said(n, BigInt(n + 1) * MB),
      measuredAt: new Date(world.now().getTime() - (50 - n) * MINUTE_MS),
    }));
    // Each twice, in requests of one, and the whole again in one request.
    const orders = [...reports, ...reports.toReversed()].map((one) => ({
      sessionId,
      personId,
      reports: [one],
    }));
    const answers = await Promise.all(
      [...orders, { sessionId, personId, reports }].map(world.sessions.report),
    );
    const sum = answers.reduce(
      (so, answer) =>
        answer.ok ? { a: so.a + answer.accepted, r: so.r + answer.repeated, c: so.c + answer.conflicts } : so,
      { a: 0, r: 0, c: 0 },
    );
    expect(sum).toEqual({ a: 50, r: 100, c: 0 });
    const { rows } = await world.pool.query(
      `select count(*)::int jobs from job where kind = 'traffic-report'`,
    );
    expect(rows).toEqual([{ jobs: 1 }]);
    expect(new Set(answers.map((answer) => answer.ok && answer.jobId)).size).toBe(1);
    const days = (await world.meter([sessionId])).get(sessionId);
    expect(days?.reduce((all, { payable }) => all + payable, 0n)).toBe(50n * MB);
    const { rows: after } = await world.pool.query('select job_id from traffic_session where id = $1', [
      sessionId,
    ]);
    expect(after).toEqual([{ job_id: null }]);
  });

  test('of one number that differ are marked: the first stands, and the day says so', async () => {
    const world = await openEarnWorld();
    const { personId, sessionId, day } = await world.earner(10n * MB);
    const other = await world.sessions.report({ sessionId, personId, reports: [world.said(0, 99n * MB)] });
    expect(other).toMatchObject({ ok: true, accepted: 0, repeated: 1, conflicts: 1 });
    await world.meter([sessionId]);
    expect(await world.dayOf(sessionId, day)).toMatchObject({ bytes: '10000000', payable: '10000000' });
    const { rows } = await world.pool.query('select conflicted from session_report where session_id = $1', [
      sessionId,
    ]);
    expect(rows).toEqual([{ conflicted: true }]);
  });

  test('of a counter that jumps back and forth are metered, whatever they claim', async () => {
    const world = await openEarnWorld();
    const { personId, sessionId, day } = await world.earner(10n * MB);
    await world.forward(MINUTE_MS);
    const reports = Array.from({ length: 8 }, (_, n) =>
      world.said(n + 1, n % 2 === 0 ? 4_000_000n * MB : 20n * MB),
    );
    await world.sessions.report({ sessionId, personId, reports });
    await world.meter([sessionId]);
    expect(await world.dayOf(sessionId, day)).toMatchObject({ bytes: '4400000000000', payable: '20000000' });
  });

  test('of another’s session are told as those of none', async () => {
    const world = await openEarnWorld();
    const { sessionId } = await world.earner(MB);
    const reports = [world.said(1, MB)];
    const unknown = { ok: false, reason: 'unknown-session' };
    expect(await world.sessions.report({ sessionId, personId: randomUUID(), reports })).toEqual(unknown);
    expect(
      await world.sessions.report({ sessionId: randomUUID() as SessionId, personId: randomUUID(), reports }),
    ).toEqual(unknown);
    expect(await world.sessions.stop(randomUUID(), sessionId, world.now())).toBeNull();
  });

  test('measured before the stop are taken after it, and those measured later are not', async () => {
    const world = await openEarnWorld();
    const { personId, sessionId, day } = await world.earner(10n * MB);
    await world.forward(MINUTE_MS);
    const before = world.said(1, 12n * MB);
    await world.forward(MINUTE_MS);
    const stopped = await world.sessions.stop(personId, sessionId, world.now());
    expect(stopped?.days).toMatchObject([{ day, payable: 10n * MB }]);
    await world.forward(5 * MINUTE_MS);
    const after = world.said(2, 13n * MB);
    expect(await world.sessions.report({ sessionId, personId, reports: [after] })).toEqual({
      ok: false,
      reason: 'session-over',
    });
    expect(await world.sessions.report({ sessionId, personId, reports: [before, after] })).toMatchObject({
      ok: true,
      accepted: 2,
    });
    const again = await world.sessions.stop(personId, sessionId, world.now());
    expect(again?.endedAt).toEqual(stopped?.endedAt);
    expect(again?.days).toMatchObject([
      { payable: 12n * MB, unpaid: [{ reason: 'outside-session', bytes: MB }] },
    ]);
  });

  test('that are dropped change nothing of what a stop answers', async () => {
    const world = await openEarnWorld();
    const { personId, sessionId, day } = await world.earner(10n * MB);
    const stop = () => world.sessions.stop(personId, sessionId, world.now());
    const stopped = await stop();
    expect(stopped?.days).toMatchObject([{ day, payable: 10n * MB, micros: 10_000_000n }]);
    const meteredAt = async () =>
      (await world.pool.query('select metered_at from traffic_session where id = $1', [sessionId])).rows;
    const before = await meteredAt();
    await world.forward(49 * DAY_MS);
    await world.rounds.partitions();
    expect(await stop()).toEqual(stopped);
    expect(await meteredAt()).toEqual(before);
  });

  test('whose job was lost get a new one after a minute', async () => {
    const world = await openEarnWorld();
    const { personId, sessionId } = await world.earner(MB);
    await world.sessions.report({ sessionId, personId, reports: [world.said(1, 2n * MB)] });
    expect(await world.rounds.rejob()).toBe(0);
    await world.owner.query(`delete from job`);
    expect(await world.rounds.rejob()).toBe(0);
    await world.forward(2 * MINUTE_MS);
    expect(await world.rounds.rejob()).toBe(1);
    expect(await world.rounds.rejob()).toBe(0);
    const { rows } = await world.pool.query(
      'select s.id from traffic_session s join job j on j.id = s.job_id',
    );
    expect(rows).toEqual([{ id: sessionId }]);
  });

  test('of two seconds share few jobs, which run when these are over', async () => {
    const world = await openEarnWorld();
    // At the beginning of two seconds.
    await world.forward(2_000 - (world.now().getTime() % 2_000) + 50);
    const began = world.now().getTime();
    const all = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const personId = randomUUID();
        return { personId, sessionId: await world.start(personId) };
      }),
    );
    await Promise.all(all.map((one) => world.sessions.report({ ...one, reports: [world.said(0, MB)] })));
    const jobs = await world.pool.query<{ id: JobId; run_at: Date }>(
      `select id, run_at from job where kind = 'traffic-report' order by id`,
    );
    // Sixteen of each two seconds that it took.
    const spans = Math.floor(world.now().getTime() / 2_000) - Math.floor(began / 2_000) + 1;
    expect(jobs.rows.length).toBeLessThanOrEqual(16 * spans);
    for (const { run_at } of jobs.rows) {
      expect(run_at.getTime() - began).toBeLessThanOrEqual(2_000 * spans + 500);
      expect(run_at.getTime()).toBeGreaterThan(began);
    }
    const waiting = waitingSessions(world.pool, world.projectId);
    const found = await Promise.all(jobs.rows.map(({ id }) => waiting(id, null)));
    expect(found.flat().toSorted()).toEqual(all.map(({ sessionId }) => sessionId).toSorted());
    const [first = []] = found;
    expect(await waiting(jobs.rows[0]!.id, first.at(-1) ?? null)).toEqual([]);
    // Of another book nobody waits.
    expect(await waitingSessions(world.pool, randomUUID() as ProjectId)(jobs.rows[0]!.id, null)).toEqual([]);
  });
});

describe('gateways', () => {
  const settings = { require_counterpart: 'review', counterpart_tolerance_percent: 5 };

  test('confirm what they carried, in increments, each number once; the smaller count is paid', async () => {
    const world = await openEarnWorld(settings);
    const { sessionId, day } = await world.earner(100n * MB);
    expect(await world.dayOf(sessionId, day)).toMatchObject({ verdict: 'review', reason: 'no-counterpart' });
    const gateway = { projectId: world.projectId, keyId: randomUUID() };
    const carried = [60n, 38n].map((mb, seq) => ({
      sessionId,
      seq,
      measuredAt: world.now(),
      up: 0n,
      down: mb * MB,
    }));
    const unknown = { ...carried[0]!, sessionId: randomUUID() as SessionId };
    expect(await world.gateways.report(gateway, [...carried, unknown])).toEqual({
      accepted: 2,
      repeated: 0,
      conflicts: 0,
      unknown: 1,
    });
    const other = { ...carried[0]!, down: 1n };
    expect(await world.gateways.report(gateway, [...carried, other])).toEqual({
      accepted: 0,
      repeated: 3,
      conflicts: 1,
      unknown: 0,
    });
    // Its report asks for metering.
    const { rows } = await world.pool.query(
      'select job_id is not null waits from traffic_session where id = $1',
      [sessionId],
    );
    expect(rows).toEqual([{ waits: true }]);
    await world.meter([sessionId]);
    expect(await world.dayOf(sessionId, day)).toMatchObject({
      bytes: '100000000',
      payable: '98000000',
      micros: '98000000',
      verdict: 'pay',
      unpaid: [{ bytes: '2000000', reason: 'counterpart-lower' }],
    });
  });

  test('carry no more reports of a session than one may have', async () => {
    const world = await openEarnWorld(settings);
    const { sessionId } = await world.earner(MB);
    const gateway = { projectId: world.projectId, keyId: randomUUID() };
    const report = (seq: number) =>
      world.gateways.report(gateway, [{ sessionId, seq, measuredAt: world.now(), up: 0n, down: MB }]);
    expect(await report(0)).toMatchObject({ accepted: 1, unknown: 0 });
    await world.owner.query('update traffic_session set carried = carried + $1', [CARRIED_REPORTS_MAX - 2]);
    expect(await report(1)).toMatchObject({ accepted: 1, unknown: 0 });
    expect(await report(2)).toMatchObject({ accepted: 0, unknown: 1 });
  });

  test('of another project confirm nothing', async () => {
    const world = await openEarnWorld(settings);
    const { sessionId } = await world.earner(MB);
    const { projectId } = await world.makeProject();
    const carried = { sessionId, seq: 0, measuredAt: world.now(), up: 0n, down: MB };
    expect(await world.gateways.report({ projectId, keyId: randomUUID() }, [carried])).toMatchObject({
      unknown: 1,
      accepted: 0,
    });
  });
});

test('reports lie by the week, and leave after forty days; what was metered of them stays', async () => {
  const world = await openEarnWorld();
  const { sessionId, day } = await world.earner(MB);
  const reports = async () =>
    (await world.pool.query<{ n: number }>('select count(*)::int n from session_report')).rows[0]?.n;
  await world.forward(40 * DAY_MS);
  await world.rounds.partitions();
  expect(await reports()).toBe(1);
  await world.forward(9 * DAY_MS);
  await world.rounds.partitions();
  expect(await reports()).toBe(0);
  expect(await world.dayOf(sessionId, day)).toMatchObject({ payable: '1000000' });
});

test('the role that runs writes no day by itself, and no report', async () => {
  const world = await openEarnWorld();
  const { sessionId } = await world.earner(MB);
  for (const sql of [
    'update session_day set payable = 0',
    'delete from session_day',
    'update session_report set down = 0',
    'insert into price select * from price',
    `update traffic_session set started_at = now() where id = '${sessionId}'`,
  ])
    await expect(world.pool.query(sql)).rejects.toMatchObject({ code: '42501' });
  // Nor at another price than the day's.
  const row = {
    session_id: sessionId,
    day: world.today(),
    bytes: '100',
    payable: '100',
    tiyin_per_mb: 900,
    micros: '900',
    gateway_bytes: null,
    verdict: 'pay',
    reason: null,
    unpaid: [],
  };
  const write = (one: object) =>
    world.pool.query('select session_day_write($1, $2)', [world.projectId, JSON.stringify([one])]);
  await expect(write(row)).rejects.toMatchObject({ code: 'NB004' });
  await expect(write({ ...row, tiyin_per_mb: 100, micros: '900' })).rejects.toMatchObject({ code: '23514' });
  await expect(write({ ...row, tiyin_per_mb: 100, micros: '100', payable: '99' })).rejects.toMatchObject({
    code: '23514',
  });
});
