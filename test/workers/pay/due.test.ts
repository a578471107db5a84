import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ProductAlarm } from '../../../domain/staff/alarms.ts';
import { payOps } from '../../../infra/postgres/pay/ops-view.ts';
import { batchesDue } from '../../../infra/postgres/pay/batch/store.ts';
import { payoutsDue } from '../../../infra/postgres/pay/payout/store.ts';
import { due } from '../../../workers/pay/due.ts';
import { HOUR_MS, openPaying, UZS } from '../../infra/postgres/pay/payout/paying.ts';

const GROSS = 20_000n * UZS;

let pay: Awaited<ReturnType<typeof openPaying>>;
beforeAll(async () => {
  pay = await openPaying();
});
afterEach(() => pay.moveClock(0));
afterAll(() => pay.close());

async function round() {
  const started: string[] = [];
  const pauseMs = await due({
    payouts: payoutsDue(pay.pool),
    batches: batchesDue(pay.pool),
    onStarted: (batches) => started.push(...batches),
  })();
  return { started, pauseMs };
}

test('a round gives back what nobody confirmed, and starts what was planned; the next one finds nothing', async () => {
  const person = await pay.person(GROSS);
  await pay.device(person.id);
  await pay.ask({ person: person.id, destination: person.card, gross: GROSS });
  const { batch } = await pay.submitted();
  const checker = await pay.staff('finance');
  const approved = await pay.batches.approve(batch, checker, await pay.proof(checker, batch));
  await pay.batches.run(approved, checker, new Date(Date.now() + HOUR_MS));
  expect(await round()).toEqual({ started: [], pauseMs: 1_000 });
  await pay.moveClock(HOUR_MS + 1_000);
  expect(await round()).toEqual({ started: [batch.id], pauseMs: 1_000 });
  expect(await person.available()).toBe(GROSS);
  expect(await round()).toEqual({ started: [], pauseMs: 1_000 });
});

test('the rest of a large batch is taken out in parts, round by round, until it is done', async () => {
  const [maker, checker] = [await pay.staff('finance'), await pay.staff('finance')];
  const ids = await manyPending(10_001);
  let batch = await pay.batches.create(maker);
  for (let from = 0; from < ids.length; from += 5_000)
    batch = await pay.batches.add(batch, maker, ids.slice(from, from + 5_000));
  batch = await pay.batches.submit(batch, maker);
  batch = await pay.batches.approve(batch, checker, await pay.proof(checker, batch));
  batch = await pay.batches.cancelRest(batch, checker);
  expect(batch).toMatchObject({ state: 'approved', count: 10_001 });
  await expect(pay.batches.run(batch, checker)).rejects.toMatchObject({ code: 'NB027' });
  expect(await left(batch.id)).toBe(1);
  expect(await round()).toMatchObject({ pauseMs: 1_000 });
  expect(await left(batch.id)).toBe(0);
  expect(await pay.batches.read(batch.id)).toMatchObject({ state: 'done' });
});

/** Planned for an hour from now by the rail of that name. */
async function planned(rail: 'multicard' | 'bank-file') {
  const [maker, checker] = [await pay.staff('finance'), await pay.staff('finance')];
  const { id } = await pay.person(GROSS);
  const destination = await pay.destination({ person: id }, { rail });
  const payout = await pay.one<{ id: string }>(
    `select id from payout_ask($1, 'withdrawal', null, $2, null, null, null, null, $3, $4, $5, 0, 'person')`,
    [pay.projectId, id, destination, rail, GROSS],
  );
  let batch = await pay.batches.add(await pay.batches.create(maker, rail), maker, [payout.id]);
  batch = await pay.batches.submit(batch, maker);
  batch = await pay.batches.approve(batch, checker, await pay.proof(checker, batch));
  return pay.batches.run(batch, checker, new Date(Date.now() + HOUR_MS));
}
/** Nobody has said why. */
const differs = async (rail: string): Promise<string> =>
  (
    await pay.owner.query<{ id: string }>(
      `insert into difference (project_id, rail, bucket, subject, amount, found_at) values ($1, $2, 'wallet', 'by:1', 1, now()) returning id`,
      [pay.projectId, rail],
    )
  ).rows[0]?.id ?? '';

describe('what one rail or row is in the way of, waits alone', () => {
  test('a batch of a rail with an unexplained difference stays planned, and takes no other’s place', async () => {
    const waits = [await planned('multicard'), await planned('multicard')];
    const starts = await planned('bank-file');
    const difference = await differs('multicard');
    await pay.moveClock(HOUR_MS + 1_000);
    expect(await batchesDue(pay.pool).run(1)).toEqual([starts.id]);
    expect(await round()).toMatchObject({ started: [] });
    for (const { id } of waits) expect(await pay.batches.read(id)).toMatchObject({ state: 'approved' });
    await pay.owner.query(`update difference set note = 'a charge' where id = $1`, [difference]);
    expect((await round()).started.toSorted()).toEqual(waits.map(({ id }) => id).toSorted());
  });

  test('a batch whose rows were changed does not start, its plan ends with the reason, and the others start', async () => {
    const [changed, starts] = [await planned('multicard'), await planned('multicard')];
    await pay.owner.query('alter table payout_item disable trigger user');
    await pay.owner.query('update payout_item set net = net + 1 where batch_id = $1', [changed.id]);
    await pay.owner.query('alter table payout_item enable trigger user');
    await pay.moveClock(HOUR_MS + 1_000);
    expect(await round()).toMatchObject({ started: [starts.id] });
    expect(await pay.batches.read(changed.id)).toMatchObject({ state: 'approved' });
    expect(await pay.batches.actions(changed.id)).toContain('plan-ended');
    expect(await round()).toMatchObject({ started: [] });
  });

  test('a payout whose money is not held expires alone, as an alarm; that of the others is given back', async () => {
    const broken = await pay.person(GROSS);
    const person = await pay.person(GROSS);
    for (const each of [broken, person]) {
      await pay.device(each.id);
      await pay.ask({ person: each.id, destination: each.card, gross: GROSS });
    }
    await pay.owner.query('alter table ledger_account disable trigger user');
    await pay.owner.query(
      `update ledger_account set balance = 0 where project_id = $1 and class = 'held' and owner = $2`,
      [pay.projectId, broken.id],
    );
    await pay.owner.query('alter table ledger_account enable trigger user');
    await pay.moveClock(HOUR_MS);
    await round();
    expect(await person.available()).toBe(GROSS);
    expect(await broken.available()).toBe(0n);
    const alarms = await payOps.alarms(pay.pool, new Date(Date.now() + HOUR_MS));
    expect(alarms.map((one) => ProductAlarm.parse(one).alarm)).toContain('payouts-overdue');
  });

  test('a step of a round that fails is told, and the others are taken', async () => {
    const taken: string[] = [];
    const step = (name: string) => async () => {
      taken.push(name);
      if (name === 'confirm' || name === 'run') throw new Error(`${name} failed`);
      return [];
    };
    const tick = due({
      payouts: { confirm: step('confirm') as never, expire: step('expire') },
      batches: { run: step('run'), cancel: step('cancel') as never },
      onStarted: () => undefined,
    });
    await expect(tick()).rejects.toThrow('confirm failed');
    expect(taken).toEqual(['confirm', 'expire', 'run', 'cancel']);
  });
});

const left = async (batch: string): Promise<number> =>
  (
    await pay.one<{ n: number }>(
      `select count(*)::int n from payout_item where batch_id = $1 and state = 'ready'`,
      [batch],
    )
  ).n;

/** Without holds, which a batch does not ask for: 100 UZS each. */
async function manyPending(count: number): Promise<readonly string[]> {
  const { rows } = await pay.owner.query<{ id: string }>(
    `with card as (
       insert into payout_destination (project_id, phone, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
         select $1, '+9989' || (10000000 + g), 'multicard', 'x', sha256(g::text::bytea), '1234', now() - interval '1 day', now() - interval '2 days'
           from generate_series(1, $2) g returning id, phone)
     insert into payout (project_id, source, funder, phone, reference, destination_id, rail, gross, fee, net, state, asked_by, created_at, state_at)
       select $1, 'api', $1, phone, phone, id, 'multicard', 10000, 0, 10000, 'pending', 'key:' || id, now(), now() from card returning id`,
    [pay.projectId, count],
  );
  return rows.map(({ id }) => id);
}
