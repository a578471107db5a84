import { randomUUID } from 'node:crypto';
import type { Fixture } from '../fixture.ts';
import { moneyProjectOf, type World } from '../world.ts';
import { reconcileFixtures } from './reconcile-fixtures.ts';

/** Of the book that the board opened at its start. With its path: the number alone stands in many an answer. */
async function account(world: World): Promise<string> {
  const { rows } = await world.db.query<{ account: string }>(
    `select account::text from ledger_open($1, '{available}', array[$2::uuid], '{null}')`,
    [moneyProjectOf(world), randomUUID()],
  );
  return `accounts/${rows[0]?.account}`;
}
const nothing = () => 'accounts/999999999';

export const financeFixtures: Readonly<Record<string, Fixture>> = {
  'GET /finance/accounts': { ask: () => ({ path: '/finance/accounts' }) },
  'GET /finance/accounts/:id': {
    make: account,
    nothing,
    ask: (id) => ({ path: `/finance/${id}` }),
  },
  'GET /finance/accounts/:id/transfers': {
    make: account,
    nothing,
    ask: (id) => ({ path: `/finance/${id}/transfers` }),
  },
  'GET /finance/ledger/days': { ask: () => ({ path: '/finance/ledger/days' }) },
  ...reconcileFixtures,
};
