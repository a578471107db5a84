import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explainPayment } from '../../../../../infra/postgres/pay/explain/explanation.ts';
import { payGrants } from '../../../../../infra/postgres/pay/grants.ts';
import { moveClock } from '../../../../../infra/postgres/engine/clock.ts';
import { inTransaction } from '../../../../../infra/postgres/engine/transaction.ts';
import { openWholePayments } from './whole-payments.ts';

const DAY_MS = 86_400_000;
/** `RETENTION_JOB_DAYS` and `RETENTION_PHONE_DAYS` at their least. */
const KEEP = { jobDays: 1, phoneDays: 1 };
const DAYS = 40;

/** Nothing is signed here. */
const readHead = () => Promise.resolve({ kind: 'unknown-key', kid: 'none' } as const);

let world: Awaited<ReturnType<typeof openWholePayments>>;
beforeAll(async () => {
  world = await openWholePayments();
});
afterAll(() => world.close());

/** Of each table of money: how many rows, and all that they say. */
async function moneyRows(): Promise<
  Readonly<Record<string, { readonly rows: number; readonly content: string }>>
> {
  const found: Record<string, { rows: number; content: string }> = {};
  for (const table of [...Object.keys(payGrants.tables), 'staff_proof', 'approval']) {
    const { rows } = await world.owner.query<{ rows: number; content: string }>(
      `select count(*)::int as rows, coalesce(md5(string_agg(to_jsonb(t)::text, e'\\n' order by to_jsonb(t)::text)), '') as content from ${table} t`,
    );
    found[table] = rows[0] ?? { rows: -1, content: '' };
  }
  return found;
}

test('forty days with jobs kept for one leave every row of money as it was, and a payment can be explained whole', async () => {
  const asked = [world.projectId, randomUUID(), 'kept'];
  await inTransaction(world.pool, async (tx) => {
    await tx.query(
      `insert into money_request (project_id, person_id, key, body_hash, at) values ($1, $2, $3, sha256('x'), now())`,
      asked,
    );
    await tx.query(`select money_request_answer($1, $2, $3, 201, '{}')`, asked);
  });
  await world.pool.query(`update job set state = 'completed', finished_at = now() where kind = 'payout'`);
  const before = await moneyRows();
  for (const table of [
    'payout',
    'payout_item',
    'payout_dispatch',
    'rail_call',
    'payout_action',
    'payout_notice',
    'statement',
    'statement_line',
  ])
    expect([table, before[table]?.rows]).not.toEqual([table, 0]);
  for (const table of [
    'payout_list',
    'payout_link',
    'money_request',
    'ledger_transfer',
    'ledger_entry',
    'ledger_block',
  ])
    expect([table, before[table]?.rows]).not.toEqual([table, 0]);
  const explained = () =>
    Promise.all(
      world.payouts.map(({ id }) => explainPayment(world.pool, { kind: 'id', text: id }, readHead)),
    );
  const told = await explained();

  let retired = 0;
  // The payments took more than a day of the same clock.
  for (let day = 2; day <= DAYS + 1; day += 1) {
    await moveClock(world.owner, day * DAY_MS);
    retired += (await world.reconciler.retire(new Date(Date.now() + day * DAY_MS), KEEP)).rows;
  }

  // It was at work: the jobs are gone.
  expect(retired).toBeGreaterThan(0);
  expect((await world.pool.query(`select from job where kind = 'payout'`)).rowCount).toBe(0);
  expect(await moneyRows()).toEqual(before);
  const without = told.map((one) => one && { ...one, rows: one.rows.filter(({ table }) => table !== 'job') });
  for (const one of without) expect(one?.rows.map(({ table }) => table)).toContain('rail_call');
  expect(await explained()).toEqual(without);
});
