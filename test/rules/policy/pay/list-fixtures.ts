import { randomUUID } from 'node:crypto';
import type { Fixture } from '../fixture.ts';

const aList = () => `/finance/lists/${randomUUID()}`;

/** One list may be imported; what it shows of whom, `test/apps/board/pay/lists.routes.test.ts` asks. */
export const listFixtures: Readonly<Record<string, Fixture>> = {
  'POST /finance/lists': {
    ask: () => ({
      path: '/finance/lists?dry_run=true',
      body: 'Phone;Name;Amount;Purpose',
      headers: { 'Content-Type': 'text/csv' },
    }),
  },
  'GET /finance/lists': { ask: () => ({ path: '/finance/lists' }) },
  'GET /finance/lists/:id': { ask: () => ({ path: aList() }), answers: [404] },
  'GET /finance/lists/:id/lines': { ask: () => ({ path: `${aList()}/lines` }), answers: [404] },
};
