import { randomUUID } from 'node:crypto';
import type { Fixture } from '../fixture.ts';
import { makePerson, moneyProjectOf, newNumber, newPhone, type Owner, type World } from '../world.ts';
import { makeDestination, makePayout, makeWithdrawal } from './payees.ts';

const key = () => ({ 'Idempotency-Key': randomUUID() });

/** People earn in one project: elsewhere nobody has any money, and what stands for it is another's. */
const earnerOf = async (world: World, { projectId, personId }: Owner) =>
  projectId === moneyProjectOf(world) ? personId : makePerson(world, 'live');
const destination = async (world: World, owner: Owner) =>
  makeDestination(world, { personId: await earnerOf(world, owner) });
const withdrawal = async (world: World, owner: Owner) => makeWithdrawal(world, await earnerOf(world, owner));
const payout = (world: World, { projectId }: Owner) => makePayout(world, projectId);

/** Telegram's id of the person. */
export async function chat(world: World, owner: Owner): Promise<string> {
  const id = String(newNumber());
  await world.db.query(
    `insert into person_chat (mode, telegram_id, person_id, proven_at) values ('live', $1, $2, now())`,
    [id, await earnerOf(world, owner)],
  );
  return id;
}

const people: Readonly<Record<string, Fixture>> = {
  // Nobody here has any money; to somebody else's card nothing is even counted.
  'POST /api/withdraw': {
    make: destination,
    ask: (id) => ({
      path: '/api/withdraw',
      headers: key(),
      body: { amount: '2000000', destination_id: id },
    }),
    answers: [422],
    says: 'insufficient',
    lacks: 422,
  },
  'GET /api/withdraw': { make: withdrawal, lists: true, ask: () => ({ path: '/api/withdraw?limit=100' }) },
  // It is cancelled already.
  'POST /api/withdraw/:id/cancel': {
    make: withdrawal,
    ask: (id) => ({ path: `/api/withdraw/${id}/cancel`, headers: key() }),
    answers: [409],
  },
  'GET /api/user/balance/:telegram_id': {
    make: chat,
    nothing: () => String(newNumber()),
    ask: (id) => ({ path: `/api/user/balance/${id}` }),
    lacks: 403,
  },
  'POST /api/user/refresh_balance': {
    make: chat,
    nothing: () => String(newNumber()),
    ask: (id) => ({ path: `/api/user/refresh_balance?telegram_id=${id}` }),
    lacks: 403,
  },
  'GET /api/profile/destinations': {
    make: destination,
    lists: true,
    ask: () => ({ path: '/api/profile/destinations' }),
  },
  // No rail is set up in the walk.
  'POST /api/profile/destinations': {
    ask: () => ({ path: '/api/profile/destinations', body: {} }),
    answers: [503],
  },
  'DELETE /api/profile/destinations/:id': {
    make: destination,
    ask: (id) => ({ path: `/api/profile/destinations/${id}` }),
  },
};

const order = () => ({
  phone: newPhone(),
  name: 'Aziza',
  amount: '2000000',
  purpose: 'delivery',
  reference: randomUUID(),
});

const customers: Readonly<Record<string, Fixture>> = {
  // The project has paid nothing in.
  'POST /payouts': {
    ask: () => ({ path: '/payouts', headers: key(), body: order() }),
    answers: [422],
    says: 'insufficient',
  },
  'POST /payouts/batches': {
    ask: () => ({ path: '/payouts/batches', headers: key(), body: { payouts: [order(), order()] } }),
    answers: [422],
    says: 'insufficient',
  },
  'GET /payouts': { make: payout, lists: true, ask: () => ({ path: '/payouts?limit=100' }) },
  'GET /payouts/:id': { make: payout, ask: (id) => ({ path: `/payouts/${id}` }) },
  'POST /payouts/:id/cancel': {
    make: payout,
    ask: (id) => ({ path: `/payouts/${id}/cancel`, headers: key() }),
    answers: [409],
  },
};

export const moneyFixtures: Readonly<Record<string, Fixture>> = { ...people, ...customers };
