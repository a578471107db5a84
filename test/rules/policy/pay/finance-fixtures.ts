import { randomUUID } from 'node:crypto';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import type { Fixture } from '../fixture.ts';
import type { World } from '../world.ts';

/** Of the book that the board opened at its start. With its path: the number alone stands in many an answer. */
async function account({ db }: World): Promise<string> {
  const { rows } = await db.query<{ account: string }>(
    `select account::text from ledger_open($1, '{available}', array[$2::uuid], '{null}')`,
    [PLATFORM_PROJECT_ID, randomUUID()],
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
};
