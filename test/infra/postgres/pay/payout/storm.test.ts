import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Batch, openPaying, UZS } from './paying.ts';

const GROSS = 20_000n * UZS;
const MICROS = 10_000n;
/** As the worst of what comes at once: devices answer, people ask and cancel, finance composes, and housekeeping runs. */
const PEOPLE = 20;
/** Of Postgres: somebody waited in a circle. */
const DEADLOCK = '40P01';

let pay: Awaited<ReturnType<typeof openPaying>>;
beforeAll(async () => {
  pay = await openPaying();
});
afterAll(() => pay.close());

type Person = Awaited<ReturnType<typeof pay.person>>;

/** A person whose device has to answer for one payout, and who asks for another, cancels, or is paid meanwhile. */
async function somebody(): Promise<{
  person: Person;
  confirming: string;
  pending: string;
  verification: string;
}> {
  const person = await pay.person(3n * GROSS);
  const ask = () => pay.ask({ person: person.id, destination: person.card, gross: GROSS });
  const { id: pending } = await ask();
  await pay.device(person.id);
  const { id: confirming } = await ask();
  const verification = randomUUID();
  await pay.pool.query('select payout_challenge($1, $2)', [confirming, verification]);
  return { person, confirming, pending, verification };
}

test('whatever comes at once, nobody waits in a circle, and what is held is what is open', async () => {
  const all = await Promise.all(Array.from({ length: PEOPLE }, somebody));
  const maker = await pay.staff('finance');
  const batches = [await pay.batches.create(maker), await pay.batches.create(maker)];
  const compose = async (from: Batch): Promise<void> => {
    let batch = from;
    for (const { pending } of all) {
      batch = await pay.batches.add(batch, maker, [pending]).catch(() => batch);
      if (batch.count % 3 === 2)
        batch = await pay.batches.drop(batch, maker, [batch.version]).catch(() => batch);
    }
  };
  const asked = await Promise.allSettled([
    ...batches.map(compose),
    ...all.map(({ verification, person }, n) =>
      pay.approval(verification, {
        person: person.id,
        amount: GROSS,
        result: n % 2 === 0 ? 'denied' : 'approved',
      }),
    ),
    ...all.map(({ pending, confirming }, n) =>
      pay.owner.query('select payout_cancel_now($1, $2, $3)', [
        n % 3 === 0 ? pending : confirming,
        'asked',
        'staff',
      ]),
    ),
    ...all.map(({ person }) => pay.ask({ person: person.id, destination: person.card, gross: GROSS })),
    ...Array.from({ length: 6 }, (_, n) =>
      pay.pool.query(n % 2 === 0 ? 'select payout_confirm_due(100)' : 'select payout_expire(100)'),
    ),
  ]);
  const codes = asked.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []));
  expect(codes).not.toContain(DEADLOCK);
  // A state, or what somebody else was faster with.
  expect(codes.filter((code) => code !== 'NB010')).toEqual([]);
  expect(await openOf()).toEqual(await heldOf());
  const states = await Promise.all(all.map(({ confirming }) => pay.payout(confirming)));
  expect(states.filter(({ state }) => state === 'confirming')).toEqual([]);
});

/** By person, in micros. */
const openOf = async () =>
  (
    await pay.pool.query<{ owner: string; micros: string }>(
      `select person_id as owner, (sum(gross) * ${MICROS})::text as micros from payout
       where state in ('confirming', 'awaiting-card', 'pending', 'batched') group by 1 order by 1`,
    )
  ).rows;
const heldOf = async () =>
  (
    await pay.pool.query<{ owner: string; micros: string }>(
      `select owner, balance::text as micros from ledger_account where class = 'held' and balance > 0 order by 1`,
    )
  ).rows;
