import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ordersFile } from '../../../../../domain/pay/bank-file/orders.ts';
import { writeBankFile } from '../../../../../domain/pay/bank-file/write.ts';
import { checkHeld, checkRail } from '../../../../../domain/pay/reconcile/equation.ts';
import { ProductAlarm } from '../../../../../domain/staff/alarms.ts';
import { canonicalBinds } from '../../../../../domain/staff/proof.ts';
import { bankFileBytes } from '../../../../../infra/pay/bank-file-bytes.ts';
import { bankFiles } from '../../../../../infra/postgres/pay/bank-file/store.ts';
import { payOps } from '../../../../../infra/postgres/pay/ops-view.ts';
import { GROSS, type Payee } from '../dispatch-world.ts';
import { askedHash } from '../proofs.ts';
import { keyOf, NET, openRailWorld } from '../reconcile/rail-world.ts';

const MICROS = 10_000n;
const PAYER = { account: '20208000900123456001', name: 'Navbat', taxId: '301234567', bankCode: '00444' };

let world: Awaited<ReturnType<typeof openRailWorld>>;
let files: ReturnType<typeof bankFiles>;
let other: string;
beforeAll(async () => {
  world = await openRailWorld();
  files = bankFiles(world.pool, world.projectId, world.rowEncryption);
  other = await world.staff();
  // Its second factor makes proofs.
  await world.pool.query(
    `update staff set totp_encrypted = 'x', totp_last_step = 0, totp_bound_at = now() - interval '9 days' where id = $1`,
    [other],
  );
});
beforeEach(() => world.forget());
afterAll(() => world.close());

/** In a file that was written so many hours ago. */
async function exported(hours = 73): Promise<Payee> {
  const { id, payees } = await world.bankBatch(1);
  await files.write(id, (orders) =>
    bankFileBytes(writeBankFile(ordersFile(PAYER, '2026-11-29', orders)), 'Windows'),
  );
  await world.owner.query(
    `update payout_dispatch set state_at = state_at - $2 * interval '1 hour' where batch_id = $1`,
    [id, hours],
  );
  const [payee] = payees;
  if (!payee) throw new Error('a batch of one');
  return payee;
}
const ask = ({ payoutId }: Payee, outcome: string, by = world.maker, evidence = 'letter 17 of the bank') =>
  world.pool.query('select bank_item_settle_ask($1, $2, $3, $4)', [payoutId, by, outcome, evidence]);
let step = 0;
async function proof({ payoutId }: Payee, by: string, total = NET): Promise<string> {
  const { rows } = await world.pool.query<{ version: number }>('select version from payout where id = $1', [
    payoutId,
  ]);
  const binds = canonicalBinds({
    action: 'money.correct',
    subject: payoutId,
    version: rows[0]?.version ?? 0,
    total: total.toString(),
    ...(await askedHash(world.pool, payoutId)),
  });
  const id = randomUUID();
  step += 1;
  await world.pool.query(
    `insert into staff_proof (id, staff_id, by, step, factor_at, binds, binds_hash)
     values ($1, $2, 'totp', $3, coalesce((select totp_bound_at from staff where id = $2), now() - interval '9 days'), $4, sha256(convert_to($4, 'UTF8')))`,
    [id, by, step, binds],
  );
  return id;
}
const agree = async (payee: Payee, outcome: string, by = other, proofId?: string) =>
  world.pool.query('select bank_item_settle_agree($1, $2, $3, $4)', [
    payee.payoutId,
    by,
    outcome,
    proofId ?? (await proof(payee, by)),
  ]);
const lineOf = ({ payoutId }: Payee) => ({
  key: keyOf(`out ${payoutId}`),
  direction: 'out' as const,
  uuid: null,
  reference: payoutId,
  amount: NET,
  commission: 0n,
  at: new Date('2026-11-29T10:00:00Z'),
  says: null,
});
const expectBalanced = async () => {
  const { rails, held } = await world.equation.books();
  expect(rails.flatMap((rail) => checkRail(rail, null))).toEqual([]);
  expect(checkHeld(held)).toEqual([]);
};

test('what the bank refused is settled by two people as failed: its money goes back once, and its batch is done', async () => {
  const payee = await exported();
  await world.differences.findOnlyOurs();
  await ask(payee, 'failed');
  await agree(payee, 'failed');
  expect(await world.stateOf(payee)).toEqual({
    payout: 'failed',
    item: 'failed',
    reason: 'by-hand',
    told: ['receipt-failed'],
  });
  expect(await world.balance(payee.available)).toBe(GROSS * MICROS);
  expect(await world.balance(payee.held)).toBe(0n);
  expect(await world.openDifferences()).toEqual([]);
  await ask(payee, 'failed').then(
    () => expect.unreachable(),
    (error: unknown) => expect(error).toMatchObject({ code: 'NB030', detail: 'failed' }),
  );
  await expect(agree(payee, 'failed')).rejects.toMatchObject({ code: 'NB030' });
  expect(await world.balance(payee.available)).toBe(GROSS * MICROS);
  await world.pool.query('select dispatch_finish_batches(100)');
  const { rows } = await world.pool.query(
    'select b.state from payout_batch b join payout_item i on i.batch_id = b.id where i.payout_id = $1',
    [payee.payoutId],
  );
  expect(rows).toEqual([{ state: 'done' }]);
  await expectBalanced();
});

test('a line that comes later for what failed is a difference, stops the rail, and the person owes it', async () => {
  const payee = await exported();
  await ask(payee, 'failed');
  await agree(payee, 'failed');
  const { buckets, stopped } = await world.take([lineOf(payee)], false, 'bank-file');
  expect(buckets).toMatchObject([{ bucket: 'paid-though-failed', lines: 1 }]);
  expect(stopped).toEqual(['bank-file']);
  expect(await world.railOf('bank-file')).toEqual({ reason: 'paid-though-failed', stopped: true });
  expect(await world.balance(await world.open('receivable', payee.personId))).toBe(-NET * MICROS);
  await expectBalanced();
});

test('what the bank has paid is settled as paid; its line is matched when it comes, once', async () => {
  const payee = await exported();
  await ask(payee, 'paid', world.maker, 'order 4711, confirmed by phone');
  await agree(payee, 'paid');
  expect(await world.stateOf(payee)).toMatchObject({ payout: 'paid', item: 'paid', told: ['receipt-paid'] });
  await expectBalanced();
  await world.differences.findOnlyOurs();
  expect(await world.openDifferences()).toMatchObject([{ bucket: 'only-ours', payoutId: payee.payoutId }]);
  for (let times = 0; times < 2; times += 1)
    expect(await world.take([lineOf(payee)], false, 'bank-file')).toMatchObject({
      buckets: [{ bucket: 'matched', lines: 1 }],
      stopped: [],
    });
  expect(await world.openDifferences()).toEqual([]);
  expect(await world.balance(payee.held)).toBe(0n);
  await expectBalanced();
});

describe('nobody settles', () => {
  test('before a statement could have it, nor what it has', async () => {
    const young = await exported(71);
    await expect(ask(young, 'failed')).rejects.toMatchObject({ code: 'NB033' });
    const told = await exported();
    await ask(told, 'failed');
    await world.take([lineOf(told)], false, 'bank-file');
    await expect(agree(told, 'failed')).rejects.toMatchObject({ code: 'NB030', detail: 'paid' });
    expect(await world.balance(told.available)).toBe(0n);
  });

  test('alone, as another outcome than was asked, without evidence, of another role, or without a proof of it', async () => {
    const payee = await exported();
    await expect(agree(payee, 'failed')).rejects.toMatchObject({ code: 'NB028' });
    await expect(ask(payee, 'failed', world.maker, ' ')).rejects.toMatchObject({ code: 'NB004' });
    await expect(ask(payee, 'failed', await world.staff('operator'))).rejects.toMatchObject({
      code: 'NB022',
    });
    await ask(payee, 'failed');
    await expect(agree(payee, 'failed', world.maker)).rejects.toMatchObject({ code: 'NB021' });
    await expect(agree(payee, 'paid')).rejects.toMatchObject({ code: 'NB028' });
    await expect(agree(payee, 'failed', other, await proof(payee, other, NET - 1n))).rejects.toMatchObject({
      code: 'NB023',
    });
    await expect(agree(payee, 'failed', await world.staff('finance', 0))).rejects.toMatchObject({
      code: 'NB026',
    });
    expect(await world.stateOf(payee)).toMatchObject({ item: 'dispatched' });
  });

  test('as another outcome than they proved, though somebody asked for that since', async () => {
    const payee = await exported();
    const third = await world.staff();
    await ask(payee, 'failed');
    const shown = await proof(payee, other);
    await ask(payee, 'paid', third, 'order 4711');
    await expect(agree(payee, 'paid', other, shown)).rejects.toMatchObject({
      code: 'NB023',
      detail: 'other-subject',
    });
    // Nor as what was asked before that.
    await expect(agree(payee, 'failed', other, shown)).rejects.toMatchObject({ code: 'NB028' });
    // Nor by another's evidence for the same.
    await ask(payee, 'failed', third, 'a call');
    await expect(agree(payee, 'failed', other, shown)).rejects.toMatchObject({ code: 'NB023' });
    expect(await world.stateOf(payee)).toMatchObject({ item: 'dispatched' });
    await agree(payee, 'failed');
    expect(await world.balance(payee.available)).toBe(GROSS * MICROS);
  });

  test('the money of one of them', async () => {
    for (const whose of ['asker', 'agreer'] as const) {
      const payee = await exported();
      const [asker, agreer] = [await world.staff(), await world.staff()];
      const phone = `+99890${randomInt(1_000_000, 9_999_999)}`;
      await world.pool.query(
        'insert into person (id, created_at) values ($1, now()) on conflict do nothing',
        [payee.personId],
      );
      await world.pool.query(
        `insert into person_phone (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'code', now())`,
        [randomBytes(32), payee.personId, phone],
      );
      await world.pool.query('select payout_handler_declare($1, $2, null)', [
        whose === 'asker' ? asker : agreer,
        phone,
      ]);
      await ask(payee, 'failed', asker);
      await expect(agree(payee, 'failed', agreer)).rejects.toMatchObject({ code: 'NB025' });
      expect(await world.balance(payee.available)).toBe(0n);
    }
  });

  test('as somebody asked who counts no more, until another asks', async () => {
    const payee = await exported();
    const left = await world.staff();
    await ask(payee, 'failed', left);
    await world.pool.query('update staff set disabled_at = now() where id = $1', [left]);
    await expect(agree(payee, 'failed')).rejects.toMatchObject({
      code: 'NB034',
      detail: `${left}@example.com`,
    });
    expect(await world.stateOf(payee)).toMatchObject({ item: 'dispatched' });
    await ask(payee, 'failed');
    await agree(payee, 'failed');
  });

  test('a payment by card, or one that is not there', async () => {
    const { payee } = await world.paid();
    await expect(ask(payee, 'failed')).rejects.toMatchObject({ code: 'NB028' });
    await expect(ask({ ...payee, payoutId: randomUUID() }, 'failed')).rejects.toMatchObject({
      code: 'NB028',
    });
  });
});

test('what no statement has for three days is an alarm', async () => {
  const payee = await exported();
  const alarms = await payOps.alarms(world.pool, new Date());
  expect(
    alarms.map((one) => ProductAlarm.parse(one)).map(({ alarm, subject }) => [alarm, subject]),
  ).toContainEqual(['payments-stuck', 'bank-file']);
  await ask(payee, 'failed');
  await agree(payee, 'failed');
});
