import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
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
