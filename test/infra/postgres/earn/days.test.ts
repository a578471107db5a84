import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hotPool } from '../../../../infra/postgres/engine/hot-pool.ts';
import { DAY_MS, MB, MINUTE_MS, openEarnWorld } from './earn-world.ts';

const closeAll = async ({ days }: Awaited<ReturnType<typeof openEarnWorld>>, day: string) => {
  let people = 0;
  let after: string | null = null;
  do {
    const closed: { people: number; next: string | null } = await days.close(day, after);
    people += closed.people;
    after = closed.next;
  } while (after !== null);
  return people;
};

async function closeInChunks(
  chunk: (pool: pg.Pool, after: string | null) => Promise<pg.QueryResult<{ person: string }>>,
  pool: pg.Pool,
): Promise<void> {
  let after: string | null = null;
  do {
    const closed: pg.QueryResult<{ person: string }> = await chunk(pool, after);
    after = closed.rows.at(-1)?.person ?? null;
  } while (after !== null);
}

/** Until a statement waits for a lock. */
async function untilHeldUp(pool: pg.Pool): Promise<void> {
  for (let looks = 0; looks < 200; looks++) {
    const { rows } = await pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (rows.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('nothing waited for a lock');
}

describe('a day', () => {
  test('closes three days later, into one transfer for each person and no second one', async () => {
    const world = await openEarnWorld();
    const first = await world.earner(40n * MB);
    await world.earner(2n * MB, first.personId);
    const other = await world.earner(7n * MB);
    await expect(world.days.close(first.day, null)).rejects.toMatchObject({ code: 'NB041' });
    await world.untilClosable();
    expect(await world.days.open(first.day)).toEqual([first.day]);
    const closed = await Promise.all(Array.from({ length: 8 }, () => closeAll(world, first.day)));
    expect(closed.toSorted((a, b) => b - a).slice(0, 1)).toEqual([2]);
    expect(await closeAll(world, first.day)).toBe(0);
    expect((await world.transfers()).toSorted()).toEqual(
      [
        `earn:${first.personId}:${first.day} earn available 42000000`,
        `earn:${other.personId}:${other.day} earn available 7000000`,
      ].toSorted(),
    );
    expect(await world.dayOf(first.sessionId, first.day)).toMatchObject({
      closed: true,
      posted_micros: '40000000',
    });
    expect(await world.days.open(first.day)).toEqual([]);
  });

  test('is closed once for each, though it was killed between two chunks and within one, and two go on', async () => {
    const world = await openEarnWorld();
    const earners = [];
    for (const mb of [1n, 2n, 3n, 4n, 5n]) earners.push(await world.earner(mb * MB));
    const { day } = earners[0]!;
    await world.untilClosable();
    const chunk = (pool: pg.Pool | pg.PoolClient, after: string | null) =>
      pool.query<{ person: string }>('select person from day_close($1, $2, $3, 2) order by person', [
        world.projectId,
        day,
        after,
      ]);
    // The first chunk is committed.
    expect((await chunk(world.pool, null)).rows).toHaveLength(2);
    // The second is not: its process dies before.
    const dying = await world.owner.connect();
    dying.on('error', () => undefined);
    const { rows } = await dying.query<{ pid: number }>('select pg_backend_pid() as pid');
    await dying.query('begin');
    expect((await chunk(dying, null)).rows).toHaveLength(2);
    await world.owner.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    dying.release(true);
    expect(await world.transfers()).toHaveLength(2);
    // Two processes go on from the beginning, each with its own connections.
    const other = hotPool(world.url, 2);
    await Promise.all([world.pool, other].map((pool) => closeInChunks(chunk, pool)));
    await other.end();
    expect((await world.transfers()).toSorted()).toEqual(
      earners.map(({ personId }, n) => `earn:${personId}:${day} earn available ${n + 1}000000`).toSorted(),
    );
    expect(await world.days.open(day)).toEqual([]);
  });

  test('that is closed never changes: what comes later is kept and unpaid', async () => {
    const world = await openEarnWorld();
    const { personId, sessionId, day } = await world.earner(40n * MB);
    const forgotten = { ...world.said(1, 50n * MB) };
    await world.untilClosable();
    await closeAll(world, day);
    const before = await world.dayOf(sessionId, day);
    expect(await world.sessions.report({ sessionId, personId, reports: [forgotten] })).toMatchObject({
      ok: true,
      accepted: 1,
    });
    await world.meter([sessionId]);
    expect(await world.dayOf(sessionId, day)).toEqual(before);
    expect(await closeAll(world, day)).toBe(0);
    await expect(world.owner.query('update session_day set payable = 1, bytes = 1')).rejects.toMatchObject({
      code: 'NB009',
    });
  });

  test('waits for who has reports that are to be metered, and closes for the others', async () => {
    const world = await openEarnWorld();
    const [slow, other] = [await world.earner(MB), await world.earner(2n * MB)];
    await world.forward(MINUTE_MS);
    await world.sessions.report({
      sessionId: slow.sessionId,
      personId: slow.personId,
      reports: [world.said(1, 3n * MB)],
    });
    await world.untilClosable();
    expect(await closeAll(world, slow.day)).toBe(1);
    expect(await world.transfers()).toEqual([`earn:${other.personId}:${other.day} earn available 2000000`]);
    await world.meter([slow.sessionId]);
    expect(await closeAll(world, slow.day)).toBe(1);
    expect(await world.transfers()).toContain(`earn:${slow.personId}:${slow.day} earn available 3000000`);
  });

  test('waits for no session that had ended before it began', async () => {
    const world = await openEarnWorld();
    const stuck = await world.earner(MB);
    const { personId, sessionId } = stuck;
    // It can't be metered.
    await world.sessions.report({ sessionId, personId, reports: [world.said(1, 2n * MB)] });
    await world.forward(2 * DAY_MS);
    const later = await world.earner(3n * MB, personId);
    await world.untilClosable();
    expect(await closeAll(world, stuck.day)).toBe(0);
    expect(await closeAll(world, later.day)).toBe(1);
    expect(await world.transfers()).toEqual([`earn:${personId}:${later.day} earn available 3000000`]);
  });

  test('of a person for whom it had closed is posted by session', async () => {
    const world = await openEarnWorld();
    const first = await world.earner(4n * MB);
    const second = await world.earner(5n * MB, first.personId);
    // As if nothing of the second were known when the first was closed.
    await world.owner.query(
      `update session_day set verdict = 'review', reason = 'late', unpaid = '[{"reason":"late","bytes":"5000000"}]' where session_id = $1`,
      [second.sessionId],
    );
    await world.untilClosable();
    await closeAll(world, first.day);
    expect(await world.decide(second.sessionId, second.day, true)).toBe('decided');
    expect(await world.transfers()).toEqual([
      `earn:${first.personId}:${first.day} earn available 4000000`,
      `earn-late:${second.sessionId}:${second.day} earn available 5000000`,
    ]);
    expect(await world.decide(second.sessionId, second.day, true)).toBe('decided');
    expect(await world.transfers()).toHaveLength(2);
  });

  test('in review is paid with the day where a person decides in time, and not at all where they decide against', async () => {
    const world = await openEarnWorld({ require_counterpart: 'review' });
    const [good, bad, open] = [
      await world.earner(MB),
      await world.earner(2n * MB),
      await world.earner(3n * MB),
    ];
    await world.decide(good.sessionId, good.day, true);
    await world.decide(bad.sessionId, bad.day, false);
    // What is metered again does not change what was decided.
    await world.meter([good.sessionId, bad.sessionId, open.sessionId]);
    expect(await world.dayOf(bad.sessionId, bad.day)).toMatchObject({
      verdict: 'unpaid',
      reason: 'decided',
      unpaid: [{ reason: 'decided', bytes: '2000000' }],
    });
    await world.untilClosable();
    expect(await closeAll(world, good.day)).toBe(3);
    expect(await world.transfers()).toEqual([`earn:${good.personId}:${good.day} earn available 1000000`]);
  });

  test('is decided after the metering that is under way, which would write over it', async () => {
    const world = await openEarnWorld({ require_counterpart: 'review' });
    const { sessionId, day } = await world.earner(2n * MB);
    const metering = await world.owner.connect();
    onTestFinished(() => metering.release(true));
    await metering.query('begin');
    await metering.query('select from traffic_session where id = $1 for no key update', [sessionId]);
    const { rows } = await metering.query<{ written: unknown }>(
      `select jsonb_build_array(to_jsonb(d)) as written from session_day d where session_id = $1`,
      [sessionId],
    );
    const decided = world.decide(sessionId, day, false);
    await Promise.race([decided, untilHeldUp(world.pool)]);
    await metering.query('select session_day_write($1, $2)', [
      world.projectId,
      JSON.stringify(rows[0]?.written),
    ]);
    await metering.query('commit');
    expect(await decided).toBe('decided');
    expect(await world.dayOf(sessionId, day)).toMatchObject({ verdict: 'unpaid', reason: 'decided' });
  });

  test('pays what a person owes first', async () => {
    const world = await openEarnWorld();
    const { personId, sessionId, day } = await world.earner(10n * MB);
    await world.untilClosable();
    await closeAll(world, day);
    // All of it is held for a withdrawal.
    const [available, held] = [
      await world.ledger.open('available', personId),
      await world.ledger.open('held', personId),
    ];
    await world.ledger.post([
      { key: 'hold', kind: 'hold', debit: available, credit: held, amount: 10_000_000n },
    ]);
    expect(await world.takeBack(sessionId, day)).toEqual({ taken: '0', owed: '10000000' });
    expect(await world.ledger.balance(held)).toBe(10_000_000n);
    await world.priceRounds.carry();
    const next = await world.earner(25n * MB, personId);
    await world.untilClosable();
    await closeAll(world, next.day);
    expect((await world.transfers()).slice(-2)).toEqual([
      `earn-debt:${personId}:${next.day} earn receivable 10000000`,
      `earn:${personId}:${next.day} earn available 15000000`,
    ]);
  });

  test('paid late to who owes, taken back and given again posts what is owed each time', async () => {
    const world = await openEarnWorld({ require_counterpart: 'review' });
    const first = await world.earner(10n * MB);
    const { personId } = first;
    const late = await world.earner(4n * MB, personId);
    await world.decide(first.sessionId, first.day, true);
    await world.untilClosable();
    await closeAll(world, first.day);
    const [available, held] = [
      await world.ledger.open('available', personId),
      await world.ledger.open('held', personId),
    ];
    await world.ledger.post([
      { key: 'hold', kind: 'hold', debit: available, credit: held, amount: 10_000_000n },
    ]);
    await world.takeBack(first.sessionId, first.day);
    expect(await world.decide(late.sessionId, late.day, true)).toBe('decided');
    expect(await world.takeBack(late.sessionId, late.day)).toEqual({ taken: '0', owed: '4000000' });
    expect(await world.decide(late.sessionId, late.day, true)).toBe('decided');
    const of = `${late.sessionId}:${late.day}`;
    expect((await world.transfers()).slice(-3)).toEqual([
      `earn-late-debt:${of} earn receivable 4000000`,
      `takeback-debt:${of} take-back receivable 4000000`,
      `earn-again-debt:${of} earn receivable 4000000`,
    ]);
    expect(await world.ledger.balance(await world.ledger.open('receivable', personId))).toBe(-6_000_000n);
  });
});

describe('a take-back', () => {
  test('takes what is there first, owes the rest, and happens once', async () => {
    const world = await openEarnWorld();
    const { personId, sessionId, day } = await world.earner(10n * MB);
    expect(await world.takeBack(sessionId, day)).toBeUndefined();
    await world.untilClosable();
    await closeAll(world, day);
    const [available, held] = [
      await world.ledger.open('available', personId),
      await world.ledger.open('held', personId),
    ];
    await world.ledger.post([
      { key: 'hold', kind: 'hold', debit: available, credit: held, amount: 7_000_000n },
    ]);
    const both = await Promise.all([1, 2].map(() => world.takeBack(sessionId, day)));
    expect(both.filter(Boolean)).toEqual([{ taken: '3000000', owed: '7000000' }]);
    expect((await world.transfers()).slice(-2)).toEqual([
      `takeback:${sessionId}:${day} take-back available 3000000`,
      `takeback-debt:${sessionId}:${day} take-back receivable 7000000`,
    ]);
    // An appeal is won: what was owed is paid first.
    expect(await world.decide(sessionId, day, true)).toBe('decided');
    expect(await world.ledger.balance(available)).toBe(3_000_000n);
    expect(await world.ledger.balance(await world.ledger.open('receivable', personId))).toBe(0n);
  });
});

describe('a day and its price', () => {
  test('are those of Tashkent', async () => {
    const world = await openEarnWorld();
    const day = world.today();
    // To 23:59 there, which is 18:59 in UTC.
    const midnight = Date.parse(`${day}T19:00:00Z`);
    await world.forward(midnight - world.now().getTime() - 10 * MINUTE_MS);
    const next = new Date(Date.parse(`${day}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10);
    expect(await world.prices.set(next, 120, world.finance)).toMatchObject({ ok: true, state: 'set' });
    const personId = randomUUID();
    const sessionId = await world.start(personId);
    const reports = [9, 11].map((minutes, seq) => ({
      seq,
      measuredAt: new Date(midnight - 10 * MINUTE_MS + minutes * MINUTE_MS),
      up: 0n,
      down: BigInt(seq + 1) * 10n * MB,
    }));
    await world.forward(12 * MINUTE_MS);
    await world.sessions.report({ sessionId, personId, reports });
    await world.meter([sessionId]);
    expect(await world.dayOf(sessionId, day)).toMatchObject({ bytes: '10000000', micros: '10000000' });
    expect(await world.dayOf(sessionId, next)).toMatchObject({ bytes: '10000000', micros: '12000000' });
  });
});
