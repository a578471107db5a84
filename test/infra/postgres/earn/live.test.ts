import { randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { LIVE_SESSIONS_MAX, LIVE_WITHDRAWALS_MAX } from '../../../../domain/earn/live/port.ts';
import { dayAfter, tashkentDay } from '../../../../domain/pay/ledger/head.ts';
import { liveStates } from '../../../../infra/postgres/earn/live/states.ts';
import { DAY_MS, MB, MINUTE_MS, openEarnWorld } from './earn-world.ts';

const TIYIN = 10_000n;
const SUBSCRIBERS = 2_000;

async function openLive() {
  const world = await openEarnWorld();
  const states = liveStates(world.pool, world.projectId);
  const stateOf = async (personId: string) => {
    const texts = (await states.texts([personId])).get(personId);
    if (!texts) throw new Error('nothing was read of them');
    return {
      texts,
      balance: states.read.balance(texts.balance),
      session: states.read.session(texts.session),
      price: states.read.price(texts.price),
      withdrawal: states.read.withdrawal(texts.withdrawal),
    };
  };
  const card = async (personId: string) => {
    const { rows } = await world.owner.query<{ id: string }>(
      `insert into payout_destination (project_id, person_id, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
       values ($1, $2, 'multicard', 'x', $3, '4321', now() - interval '6 days', now() - interval '7 days') returning id`,
      [world.projectId, personId, randomBytes(32)],
    );
    return rows[0]?.id ?? '';
  };
  const withdraw = async (personId: string, tiyin: bigint, destination: string) => {
    const { rows } = await world.pool.query<{ id: string }>(
      `select id from payout_ask($1, 'withdrawal', null, $2, null, null, null, null, $3, 'multicard', $4, 0, 'person')`,
      [world.projectId, personId, destination, tiyin.toString()],
    );
    return rows[0]?.id ?? '';
  };
  return { ...world, states, stateOf, card, withdraw };
}

test('somebody of whom nothing is known has an empty state, with the price of today', async () => {
  const { stateOf, today } = await openLive();
  const { balance, session, price, withdrawal } = await stateOf(randomUUID());
  expect(balance).toEqual({ available: 0n, held: 0n, receivable: 0n });
  expect([session, withdrawal]).toEqual([[], []]);
  expect(price).toEqual({ day: today(), tiyinPerMb: 100, carried: false });
});

test('the balance is that of the ledger after the close of a day', async () => {
  const { earner, stateOf, untilClosable, days } = await openLive();
  const { personId, day } = await earner(40n * MB);
  const before = await stateOf(personId);
  expect(before.balance).toEqual({ available: 0n, held: 0n, receivable: 0n });
  await untilClosable();
  await days.close(day, null);
  const after = await stateOf(personId);
  expect(after.balance).toEqual({ available: 4_000n, held: 0n, receivable: 0n });
  expect(after.texts.balance).not.toBe(before.texts.balance);
});

test('the session is the one that goes on, with what is metered of it, and ends', async () => {
  const { start, stateOf, sessions, said, meter, forward, now, decide } = await openLive();
  const personId = randomUUID();
  const sessionId = await start(personId);
  const empty = await stateOf(personId);
  expect(empty.session).toMatchObject([{ id: sessionId, reports: 0, bytes: 0n, amount: 0n, review: 0n }]);
  await forward(MINUTE_MS);
  const reported = said(0, 30n * MB);
  await sessions.report({ sessionId, personId, reports: [reported] });
  // What is not metered earns nothing yet.
  expect((await stateOf(personId)).session).toMatchObject([{ reports: 1, bytes: 0n }]);
  await meter([sessionId]);
  const metered = await stateOf(personId);
  expect(metered.session).toMatchObject([{ bytes: 30n * MB, amount: 3_000n, review: 0n }]);
  await decide(sessionId, tashkentDay(reported.measuredAt), false);
  expect((await stateOf(personId)).session).toMatchObject([{ bytes: 30n * MB, amount: 0n, review: 0n }]);
  await sessions.stop(personId, sessionId, now());
  expect((await stateOf(personId)).session).toEqual([]);
});

test('what waits for a person is told apart', async () => {
  const { owner, projectId, earner, stateOf, pool } = await openLive();
  const settings = { require_counterpart: 'review' };
  await owner.query('update project set settings = $2 where id = $1', [projectId, settings]);
  const { personId } = await earner(30n * MB);
  expect((await stateOf(personId)).session).toMatchObject([{ amount: 0n, review: 3_000n }]);
  expect(pool.totalCount).toBeGreaterThan(0);
});

test('more open sessions than a person may have are not all told', async () => {
  const { owner, projectId, stateOf } = await openLive();
  const personId = randomUUID();
  await owner.query(
    `insert into traffic_session (id, project_id, person_id, installation_id, started_at)
     select uuidv7(), $1, $2, gen_random_uuid(), now() from generate_series(1, 9)`,
    [projectId, personId],
  );
  expect((await stateOf(personId)).session).toHaveLength(LIVE_SESSIONS_MAX);
});

test('a price of tomorrow is told tomorrow, and is carried on where nobody sets one', async () => {
  const { prices, finance, stateOf, forward, today, priceRounds } = await openLive();
  const personId = randomUUID();
  const first = today();
  await prices.set(dayAfter(first), 120, finance);
  expect((await stateOf(personId)).price).toMatchObject({ day: first, tiyinPerMb: 100 });
  await forward(DAY_MS);
  expect((await stateOf(personId)).price).toEqual({ day: dayAfter(first), tiyinPerMb: 120, carried: false });
  await forward(DAY_MS);
  expect((await stateOf(personId)).price).toEqual({ day: dayAfter(first), tiyinPerMb: 120, carried: true });
  await priceRounds.carry();
  expect((await stateOf(personId)).price).toEqual({
    day: dayAfter(first, 2),
    tiyinPerMb: 120,
    carried: true,
  });
});

test('a withdrawal is told with its hold, its block, and its end', async () => {
  const { ledger, owner, pool, forward, stateOf, card, withdraw } = await openLive();
  const { id: personId } = await ledger.person(5_000_000n * TIYIN);
  const destination = await card(personId);
  const id = await withdraw(personId, 1_000_000n, destination);
  const asked = await stateOf(personId);
  expect(asked.balance).toEqual({ available: 4_000_000n, held: 1_000_000n, receivable: 0n });
  expect(asked.withdrawal).toMatchObject([
    {
      id,
      state: 'pending',
      gross: 1_000_000n,
      fee: 0n,
      net: 1_000_000n,
      destination: { id: destination, last4: '4321' },
    },
  ]);
  await owner.query(
    `insert into payout_block (person_id, reason, until, made_at) values ($1, 'phone-lost', now() + interval '1 hour', now())`,
    [personId],
  );
  const blocked = await stateOf(personId);
  expect(blocked.withdrawal).toMatchObject([{ id, state: 'review' }]);
  // A block that ends changes no row.
  await forward(2 * 3_600_000);
  expect((await stateOf(personId)).texts.withdrawal).toBe(asked.texts.withdrawal);
  await pool.query(`select payout_cancel($1, $2, 'by-person', 'person')`, [id, personId]);
  const cancelled = await stateOf(personId);
  expect(cancelled.withdrawal).toMatchObject([{ id, state: 'cancelled', reason: 'by-person' }]);
  expect(cancelled.balance.available).toBe(5_000_000n);
  expect(new Set([asked, blocked, cancelled].map(({ texts }) => texts.withdrawal)).size).toBe(3);
  const more: string[] = [];
  for (let n = 0; n < LIVE_WITHDRAWALS_MAX; n++) {
    const next = await withdraw(personId, 1_000_000n, destination);
    await pool.query(`select payout_cancel($1, $2, 'by-person', 'person')`, [next, personId]);
    more.unshift(next);
  }
  expect((await stateOf(personId)).withdrawal.map((one) => one.id)).toEqual(more);
});

test('equal states have equal texts, whoever reads them and in what order', async () => {
  const { ledger, states } = await openLive();
  const people = [await ledger.person(5n * TIYIN), await ledger.person(7n * TIYIN)].map(({ id }) => id);
  const [there, back] = [await states.texts(people), await states.texts(people.toReversed())];
  for (const id of people) expect(there.get(id)).toEqual(back.get(id));
  expect((await states.texts([])).size).toBe(0);
});

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Node[];
}
const nodesOf = (node: Node): readonly Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** As many people as follow, and as many others, each with a year behind them. */
const seed = [
  `insert into ledger_account (project_id, class, owner, balance, floor, version)
   select $1, c, p, 10000, 0, 1 from unnest($2::uuid[]) p cross join unnest(array['available', 'held']) c`,
  `insert into traffic_session (id, project_id, person_id, installation_id, started_at, ended_at, ended_because)
   select uuidv7(-n * interval '30 days'), $1, p, gen_random_uuid(), now() - n * interval '30 days', case when n > 0 then now() end, case when n > 0 then 'stopped' end
   from unnest($2::uuid[]) p cross join generate_series(0, 12) n`,
  `insert into session_day (session_id, day, project_id, person_id, bytes, payable, tiyin_per_mb, micros, verdict, unpaid, metered_at)
   select s.id, s.started_at::date, s.project_id, s.person_id, 1000000, 1000000, 100, 1000000, 'pay', '[]', now()
   from traffic_session s where s.project_id = $1 and s.person_id = any ($2)`,
  `with cards as (
     insert into payout_destination (project_id, person_id, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
     select $1, p, 'multicard', 'x', sha256(p::text::bytea), '4321', now(), now() from unnest($2::uuid[]) p returning id, person_id)
   insert into payout (project_id, source, person_id, destination_id, rail, gross, fee, net, state, asked_by, created_at, state_at)
   select $1, 'withdrawal', c.person_id, c.id, 'multicard', 1000000, 0, 1000000, 'cancelled', 'person', now() - n * interval '30 days', now()
   from cards c cross join generate_series(0, 12) n`,
];

test('a look for 2 000 subscribers is one statement, and reads of each only what is told', async () => {
  const { owner, pool, projectId } = await openLive();
  const people = Array.from({ length: SUBSCRIBERS }, () => randomUUID());
  for (const text of seed) await owner.query(text, [projectId, people]);
  await owner.query('analyze ledger_account, traffic_session, session_day, payout, payout_destination');
  const asked: { text: string; values: readonly unknown[] }[] = [];
  const counting = {
    query: (text: string, values: readonly unknown[]) => {
      asked.push({ text, values });
      return pool.query(text, [...values]);
    },
  } as unknown as pg.Pool;
  const texts = await liveStates(counting, projectId).texts(people);
  expect([texts.size, asked.length]).toEqual([SUBSCRIBERS, 1]);
  const [{ text, values } = { text: '', values: [] }] = asked;
  const { rows } = await pool.query<{ 'QUERY PLAN': readonly [{ Plan: Node }] }>(
    `explain (analyze, timing off, format json) ${text}`,
    [...values],
  );
  const nodes = nodesOf(rows[0]!['QUERY PLAN'][0].Plan);
  const read = nodes.filter((node) => node['Relation Name'] !== undefined);
  const told = new Set(read.map((node) => node['Relation Name']));
  expect([...told]).toEqual(
    expect.arrayContaining(['ledger_account', 'payout', 'session_day', 'traffic_session']),
  );
  for (const node of read.filter((one) => !['price', 'payout_block'].includes(one['Relation Name'] ?? ''))) {
    const rowsRead = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
    expect([node['Relation Name'], node['Node Type']]).not.toContain('Seq Scan');
    expect([node['Relation Name'], rowsRead <= SUBSCRIBERS * LIVE_WITHDRAWALS_MAX]).toEqual([
      node['Relation Name'],
      true,
    ]);
  }
});
