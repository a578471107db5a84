import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inTransaction } from '../../../../infra/postgres/engine/transaction.ts';
import { type FreshDatabase, freshDatabase } from '../../../support/servers.ts';

let database: FreshDatabase;
/** One connection: what is not given back is missed at once. */
let pool: pg.Pool;
beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.ownerUrl, max: 1 });
  pool.on('error', () => undefined);
  await pool.query('create table kept (n int)');
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const keep = (tx: pg.PoolClient, n: number) => tx.query('insert into kept values ($1)', [n]);
const kept = async () =>
  (await pool.query<{ n: number }>('select n from kept order by n')).rows.map(({ n }) => n);

test('what is thrown takes everything back, and gives the connection back', async () => {
  const failing = inTransaction(pool, async (tx) => {
    await keep(tx, 1);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await kept()).toEqual([]);
});

test('a commit that Postgres makes a rollback of is no success', async () => {
  const swallowing = inTransaction(pool, async (tx) => {
    await keep(tx, 2);
    await tx.query('select 1 / 0').catch(() => undefined);
    return 'done';
  });
  await expect(swallowing).rejects.toThrow('the transaction was rolled back');
  expect(await kept()).toEqual([]);
});

test('a connection that was lost is not handed out again', async () => {
  const losing = inTransaction(pool, async (tx) => {
    tx.on('error', () => undefined);
    await tx.query('select pg_terminate_backend(pg_backend_pid())');
  });
  await expect(losing).rejects.toThrow('terminat');
  await inTransaction(pool, (tx) => keep(tx, 3));
  expect(await kept()).toEqual([3]);
});
