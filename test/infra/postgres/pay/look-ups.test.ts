import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDispatchWorld } from './dispatch-world.ts';

let world: Awaited<ReturnType<typeof openDispatchWorld>>;
beforeAll(async () => {
  world = await openDispatchWorld();
});
afterAll(() => world.close());

/** Rows that a look-up by an index reads where it reads them all. */
const MANY = 200;
/** Of one payment: its line, and again for each of the few things that are asked of it. */
const READ_MAX = 20;

/** What `run` answers, and how many rows of a table it read by indexes. */
async function reading<Out>(
  table: string,
  run: (client: pg.ClientBase) => Promise<Out>,
  kept?: pg.ClientBase,
): Promise<{ out: Out; read: number }> {
  const own = kept ? null : await world.pool.connect();
  const client = kept ?? own;
  if (!client) throw new Error('no connection');
  // Of this connection, and not yet given to the statistics.
  const read = async () =>
    Number(
      (
        await client.query<{ n: string }>(
          'select idx_tup_fetch n from pg_stat_xact_user_tables where relname = $1',
          [table],
        )
      ).rows[0]?.n,
    );
  try {
    await client.query('begin');
    const before = await read();
    const out = await run(client);
    const after = await read();
    await client.query('commit');
    return { out, read: after - before };
  } finally {
    own?.release();
  }
}

test('a payment ends by its own rows, on a connection whose first payment found the tables empty', async () => {
  const kept = await world.pool.connect();
  const answers = (status: 'draft' | 'success') => ({ kind: 'answered', status }) as const;
  const end = async (batchId: string) => {
    const [dispatch] = await world.dispatches(batchId);
    if (!dispatch) throw new Error('nothing was started');
    const draft = await world.claim(dispatch.id);
    const more = { rail_uuid: `rail-${dispatch.id}`, confirms: true };
    const { call } = await world.move(dispatch.id, draft.call, answers('draft'), 'drafted', more);
    const paid = (on: pg.ClientBase) =>
      world.move(dispatch.id, call, answers('success'), 'paid', { commission: 700 }, on);
    return reading('payout_item', paid, kept);
  };
  try {
    // Nothing has been analysed: the lines are many, and few of them seem to be dispatched.
    const batch = await world.batch(MANY);
    const first = await world.batch(1);
    await world.start();
    await end(first.id);
    const { out, read } = await end(batch.id);
    expect(out).toMatchObject({ result: 'moved' });
    expect(read).toBeLessThanOrEqual(READ_MAX);
  } finally {
    kept.release();
  }
});

test('in the middle of a batch a payment is claimed by its own rows, though the statistics say that nothing is under way', async () => {
  const batch = await world.batch(MANY);
  await world.owner.query('analyze');
  expect(await world.start()).toBe(MANY);
  const [first] = await world.dispatches(batch.id);
  if (!first) throw new Error('nothing was started');
  const claimed = await reading('payout_item', (client) => world.claimAll([first], 'draft', 0, client));
  expect(claimed.out).toMatchObject([{ refusal: null }]);
  expect(claimed.read).toBeLessThanOrEqual(READ_MAX);
});

test('an account is found by its owner, among however many of its class', async () => {
  const batch = await world.batch(MANY);
  const owner = batch.payees[0]?.personId;
  await world.owner.query('analyze');
  const open = (client: pg.ClientBase) =>
    client.query('select ledger_open($1, $2, $3, $4)', [
      world.projectId,
      ['available', 'held'],
      [owner, owner],
      [null, null],
    ]);
  const connection = await world.owner.connect();
  const { read } = await reading('ledger_account', open, connection).finally(() => connection.release());
  expect(read).toBeLessThanOrEqual(READ_MAX);
});
