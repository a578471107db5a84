import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkHeld, checkRail } from '../../../../../domain/pay/reconcile/equation.ts';
import { equationReads } from '../../../../../infra/postgres/pay/reconcile/equation.ts';
import { statements } from '../../../../../infra/postgres/pay/reconcile/statements.ts';
import { rowEncryption } from '../../../../../infra/process/crypto.ts';
import { dispatchWorldOn } from '../dispatch-world.ts';
import { HOUR_MS, openPaying, UZS } from '../payout/paying.ts';
import { keyOf } from './rail-world.ts';

const DAYS_LATER_MS = 20 * 24 * HOUR_MS;
const MICROS = 10_000n;
/** In tiyin. */
const [GROSS, FEE, COMMISSION] = [20_000n * UZS, 60n * UZS, 100n * UZS];
const NET = GROSS - FEE;

let pay: Awaited<ReturnType<typeof openPaying>>;
let orders: Awaited<ReturnType<typeof dispatchWorldOn>>;
beforeAll(async () => {
  pay = await openPaying();
  orders = await dispatchWorldOn({ ...pay, encryption: rowEncryption(pay.ring) });
});
afterAll(() => pay.close());

/** Of a batch of its own, made by one and approved by another: paid by the rail, and the batch closed. */
async function paidAndClosed(payoutId: string) {
  const [maker, checker] = [await pay.staff('finance'), await pay.staff('finance')];
  const draft = await pay.batches.add(await pay.batches.create(maker), maker, [payoutId]);
  const submitted = await pay.batches.submit(draft, maker);
  const approved = await pay.batches.approve(submitted, checker, await pay.proof(checker, submitted));
  const { id: batchId } = await pay.batches.run(approved, maker);
  await orders.start();
  const [dispatch] = await orders.dispatches(batchId);
  if (!dispatch) throw new Error('nothing was started');
  const uuid = randomUUID();
  const drafted = await orders.claim(dispatch.id);
  const confirming = await orders.move(
    dispatch.id,
    drafted.call,
    { kind: 'answered', status: 'draft' },
    'drafted',
    { rail_uuid: uuid, commission: Number(COMMISSION), confirms: true },
  );
  await orders.move(dispatch.id, confirming.call, { kind: 'answered', status: 'success' }, 'paid');
  await pay.pool.query('select dispatch_finish_batches(100)');
  const closed = await pay.batches.close(await pay.batches.read(batchId), maker);
  return { closed, uuid, reference: `${dispatch.id}-1` };
}

const lineOf = (paid: { uuid: string; reference: string }, direction: 'out' | 'back', at: Date) => ({
  key: keyOf(`${direction} ${paid.uuid}`),
  direction,
  uuid: paid.uuid,
  reference: paid.reference,
  amount: NET,
  commission: COMMISSION,
  at,
  says: null,
});
const take = (line: ReturnType<typeof lineOf>) =>
  statements({ pool: pay.pool, book: pay.projectId, encryption: rowEncryption(pay.ring) }).import(
    {
      rail: 'multicard',
      from: line.at,
      to: new Date(line.at.getTime() + HOUR_MS),
      lines: [line],
      file: null,
    },
    { dryRun: false },
  );
const expectBalanced = async () => {
  const { rails, held } = await equationReads(pay.pool, pay.projectId).books();
  expect(rails.flatMap((rail) => checkRail(rail, null))).toEqual([]);
  expect(checkHeld(held)).toEqual([]);
};

test('what comes back 20 days after its batch was closed: all of it is the person’s again, the batch stays closed, and their next payout is right', async () => {
  const person = await pay.person(GROSS);
  const asked = { person: person.id, gross: GROSS, fee: FEE };
  const first = await pay.ask({ ...asked, destination: person.card });
  const paid = await paidAndClosed(first.id);
  await take(lineOf(paid, 'out', new Date()));
  expect([await person.available(), await person.held()]).toEqual([0n, 0n]);

  await pay.moveClock(DAYS_LATER_MS);
  const back = lineOf(paid, 'back', new Date(Date.now() + DAYS_LATER_MS));
  for (let times = 0; times < 2; times += 1) await take(back);
  expect(await pay.payout(first.id)).toMatchObject({ state: 'returned' });
  expect([await person.available(), await person.held()]).toEqual([GROSS, 0n]);
  expect(await pay.batches.read(paid.closed.id)).toEqual(paid.closed);
  await expectBalanced();

  // The card gave the money back once.
  await expect(pay.ask({ ...asked, destination: person.card })).rejects.toMatchObject({ code: 'NB011' });
  const card = await pay.destination({ person: person.id });
  const next = await pay.ask({ ...asked, destination: card });
  const again = await paidAndClosed(next.id);
  await take(lineOf(again, 'out', new Date(Date.now() + DAYS_LATER_MS)));
  expect(await pay.payout(next.id)).toMatchObject({ state: 'paid' });
  expect([await person.available(), await person.held()]).toEqual([0n, 0n]);
  expect(await pay.balance(orders.clearing)).toBe(0n);
  // Of the first its fee went back to the person, and the commission to us, as the rail's line says.
  expect(await pay.balance(orders.fee)).toBe(FEE * MICROS);
  expect(await pay.balance(orders.commission)).toBe(-COMMISSION * MICROS);
  expect(await pay.batches.read(paid.closed.id)).toEqual(paid.closed);
  await expectBalanced();
});
