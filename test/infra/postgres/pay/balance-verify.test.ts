import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withdrawals } from '../../../../infra/postgres/pay/payout/withdrawals.ts';
import { openTestBook } from './book.ts';

const TIYIN = 10_000n;

let world: Awaited<ReturnType<typeof openTestBook>>;
beforeAll(async () => {
  world = await openTestBook();
});
afterAll(() => world.close());

const recompute = (person: string) => withdrawals(world.pool, world.projectId).recompute(person);
const differences = async (person: string) =>
  (
    await world.pool.query<{ bucket: string; rail: string; amount: string; open: boolean }>(
      `select bucket, rail, amount, closed_at is null as open from difference where subject like 'balance:' || $1 || ':%' order by found_at, id`,
      [person],
    )
  ).rows;
/** As a hand in the database would. */
const addToBalance = (account: string, micros: bigint) =>
  world.owner.query('update ledger_account set balance = balance + $2 where id = $1', [
    account,
    micros.toString(),
  ]);

/** Earned 100 and a part of a tiyin, of which 40 are held. */
async function saver() {
  const person = await world.person(100n * TIYIN + 1n);
  const hold = { kind: 'hold', debit: person.available, credit: person.held, amount: 40n * TIYIN };
  await world.post([{ key: `hold:${randomUUID()}`, ...hold }]);
  return person;
}

test('a balance is what the transfers come to, and then nobody is told', async () => {
  const { id } = await saver();
  expect(await recompute(id)).toEqual({ available: 60n, held: 40n, receivable: 0n, isVerified: true });
  expect(await recompute(randomUUID())).toEqual({
    available: 0n,
    held: 0n,
    receivable: 0n,
    isVerified: true,
  });
  expect(await differences(id)).toEqual([]);
});

test('one that somebody changed is not verified: the sums are told, and finance has a difference until it is put right', async () => {
  const { id, available } = await saver();
  await addToBalance(available, 7n * TIYIN + 3n);
  const told = { available: 60n, held: 40n, receivable: 0n, isVerified: false };
  expect(await recompute(id)).toEqual(told);
  // Once, however often they ask.
  expect(await recompute(id)).toEqual(told);
  // Rounded up: a part of a tiyin is wrong, too.
  const found = { bucket: 'balance', rail: 'all', amount: '8' };
  expect(await differences(id)).toEqual([{ ...found, open: true }]);
  await addToBalance(available, -3n * TIYIN);
  await recompute(id);
  expect(await differences(id)).toEqual([
    { ...found, open: false },
    { ...found, amount: '5', open: true },
  ]);
  await addToBalance(available, -4n * TIYIN - 3n);
  expect(await recompute(id)).toEqual({ ...told, isVerified: true });
  expect((await differences(id)).map(({ open }) => open)).toEqual([false, false]);
});

test('two transfers that are gone and made up for each other are seen by their number', async () => {
  const { id, available } = await saver();
  await world.owner.query('update ledger_account set version = version + 2 where id = $1', [available]);
  expect(await recompute(id)).toMatchObject({ isVerified: false });
});

test('no process can say that a balance differs, or that it does not', async () => {
  await expect(
    world.pool.query(
      `select difference_found($1, 'all', 'balance', 'balance:x', 1, null, null, null, null)`,
      [world.projectId],
    ),
  ).rejects.toMatchObject({ code: '42501' });
});
