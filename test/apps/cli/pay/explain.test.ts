import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExplainedRow, PaymentExplanation } from '../../../../domain/pay/explain/explain.ts';
import { moveClock } from '../../../../infra/postgres/engine/clock.ts';
import { chain } from '../../../../infra/postgres/pay/ledger/chain.ts';
import { headSigner } from '../../../../infra/pay/signed-heads.ts';
import { newSecrets } from '../../../../infra/process/new-secrets.ts';
import { closeBlocks } from '../../../../workers/pay/close-blocks.ts';
import { CARD_TOKEN, openWholePayments } from '../../../infra/postgres/pay/explain/whole-payments.ts';
import { navbatCommand } from '../../../support/command-line.ts';
import { testEnvironment } from '../../../support/environment.ts';

const DAY_MS = 86_400_000;

let world: Awaited<ReturnType<typeof openWholePayments>>;
beforeAll(async () => {
  world = await openWholePayments();
});
afterAll(() => world.close());

// Its clock was moved past the wait of a new card.
const { JWT_PRIVATE_JWK } = newSecrets(new Date(0));
const environment = () =>
  testEnvironment({ DATABASE_URL: world.url, SANDBOX_CLOCK: 'true', JWT_PRIVATE_JWK });
const explain = async (...args: readonly string[]): Promise<string> => {
  const { code, out, err } = await navbatCommand(['explain', ...args], environment());
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
};
const json = async (name: string) => JSON.parse(await explain(name, '--json')) as PaymentExplanation;
const tablesOf = (rows: readonly ExplainedRow[]) => [...new Set(rows.map((row) => row.table))].toSorted();
/** Keys that select no row, or more than one. */
async function unknownOf(rows: readonly ExplainedRow[]): Promise<readonly string[]> {
  const unknown: string[] = [];
  for (const { table, key } of rows) {
    const { rowCount } = await world.pool.query(`select from ${table} t where to_jsonb(t) @> $1`, [key]);
    if (rowCount !== 1) unknown.push(`${table} ${JSON.stringify(key)}`);
  }
  return unknown;
}

/** What every payment by card has. */
const common = [
  'job',
  'ledger_transfer',
  'payout',
  'payout_action',
  'payout_batch',
  'payout_destination',
  'payout_dispatch',
  'payout_item',
  'payout_notice',
  'rail_call',
  'staff_proof',
  'statement',
  'statement_line',
];

describe('navbat explain', () => {
  test('of a withdrawal names every row from what filled the account to the statement, and each exists', async () => {
    const { rows } = await json(world.payouts[0].id);
    expect(tablesOf(rows)).toEqual([...common, 'approval'].toSorted());
    expect(await unknownOf(rows)).toEqual([]);
    const says = rows
      .filter(({ table }) => table === 'ledger_transfer')
      .map((row) => row.says.split(', ')[0]);
    expect(says.map((text) => text?.split(' ')[1])).toEqual([
      'earn',
      'hold',
      'pay',
      'fee',
      'commission',
      'line',
    ]);
    const acts = rows
      .filter(({ table }) => table === 'payout_action')
      .map(({ says: [...text] }) => text.join(''));
    expect(acts.map((text) => text.split(' by ')[0])).toEqual([
      'create',
      'add',
      'submit',
      'approve',
      'run',
      'close',
    ]);
    expect(acts[3]).toContain(`approve by ${world.checker}@example.com`);
    expect(acts[3]).toMatch(/, proof [0-9a-f-]{36}$/);
  });

  test('of a line of a list names its list, link and form too, and each exists', async () => {
    const { rows } = await json(`${world.batchId}:2`);
    expect(tablesOf(rows)).toEqual(
      [...common, 'payout_list', 'payout_list_import', 'payout_link', 'payout_binding'].toSorted(),
    );
    expect(await unknownOf(rows)).toEqual([]);
  });

  test('takes payout, line, dispatch and both references of the rail for the same payment', async () => {
    const [, listed] = world.payouts;
    const [, dispatch] = await world.dispatches(world.batchId);
    const names = [`${world.batchId}:2`, dispatch?.id, dispatch?.reference, dispatch?.rail_uuid];
    const whole = await json(listed.id);
    for (const name of names) expect(await json(name ?? '')).toEqual(whole);
  });

  test('tells a person the same, and no phone, token or link', async () => {
    const [, { id, phone, linkToken }] = world.payouts;
    const out = await explain(id);
    const raw = await explain(id, '--json');
    for (const secret of [phone, CARD_TOKEN, linkToken])
      for (const said of [out, raw]) expect(said).not.toContain(secret);
    expect(out).toContain('•••• 4321');
    expect(out).toContain(`payout_item (n = '2' and batch_id = '${world.batchId}')`);
    expect(out.match(/; block [12] holds, its day is not signed yet/g)).toHaveLength(5);
  });

  test('says which block does not hold where a transfer was changed', async () => {
    const [{ id }] = world.payouts;
    const change = async (by: number) => {
      await world.owner.query('alter table ledger_transfer disable trigger user');
      await world.owner.query(
        `update ledger_transfer set amount = amount + $2, debit_after = debit_after - $2, credit_after = credit_after + $2 where key = 'resolve:' || $1::uuid`,
        [id, by],
      );
      await world.owner.query('alter table ledger_transfer enable trigger user');
    };
    await change(1);
    expect(await explain(id)).toMatch(/BLOCK 2 DOES NOT HOLD: Block 2 .* transfer \d+ differs/);
    await change(-1);
    expect(await explain(id)).not.toContain('DOES NOT HOLD');
  });

  test('of a day that is signed says whether the signature holds, by a key that is known or by none', async () => {
    const [{ id }] = world.payouts;
    const aheadMs = 4 * DAY_MS;
    await moveClock(world.owner, aheadMs);
    const sign = await headSigner(JSON.parse(JWT_PRIVATE_JWK));
    const tick = closeBlocks({
      chain: chain(world.pool),
      sign,
      now: () => new Date(Date.now() + aheadMs),
      show: () => undefined,
      onFault: (_book, error) => {
        throw error;
      },
      onWorks: () => undefined,
      onDay: () => undefined,
    });
    await tick();
    expect(await explain(id)).toMatch(/; block 2 holds, signed with \d{4}-\d{2}-\d{2}: the signature holds/);
    const { rows } = await json(id);
    expect(rows.flatMap(({ chain: proof }) => proof?.signature ?? [])).toEqual(Array(6).fill('holds'));

    const stranger = { ...environment(), JWT_PRIVATE_JWK: newSecrets(new Date(0)).JWT_PRIVATE_JWK };
    const unknown = await navbatCommand(['explain', id], stranger);
    expect(unknown.out).toContain('by a key that is not known here: not checked');

    await world.owner.query('alter table ledger_day disable trigger user');
    await world.owner.query(`update ledger_day set totals = totals || '{"available": "1"}'`);
    await world.owner.query('alter table ledger_day enable trigger user');
    expect(await explain(id)).toContain('THE SIGNATURE DOES NOT HOLD');
  });

  test('of an id that nothing has, and of what is no id, says so', async () => {
    const refused = async (name: string) => (await navbatCommand(['explain', name], environment())).err;
    expect(await refused(world.maker)).toMatch(/^There is no verification or payout, line of a batch/);
    expect(await refused('x')).toMatch(/^x: expected the id of a verification or payout/);
  });
});
