import { randomUUID } from 'node:crypto';
import type { Fixture } from '../fixture.ts';
import { moneyProjectOf, type World } from '../world.ts';

/** A line of nobody's in a statement that the rail gave. */
async function difference(world: World): Promise<string> {
  const { db } = world;
  const line = {
    key: randomUUID(),
    direction: 'out',
    amount: '1',
    commission: '0',
    at: '2026-11-29T10:00:00Z',
  };
  const { rows: made } = await db.query<{ id: string }>(
    `select statement_open($1, 'bank-file', null, '2026-11-29T00:00:00Z', '2026-11-30T00:00:00Z', null) id`,
    [moneyProjectOf(world)],
  );
  await db.query('select statement_import($1, $2)', [
    made[0]?.id,
    JSON.stringify([{ ...line, bucket: 'only-theirs', suggestions: [] }]),
  ]);
  const { rows } = await db.query<{ id: string }>('select id from difference where subject = $1', [line.key]);
  return rows[0]?.id ?? '';
}

const act = (name: string, body?: object): Fixture => ({
  make: difference,
  ask: (id) => ({ path: `/finance/differences/${id}/${name}`, body }),
});

export const reconcileFixtures: Readonly<Record<string, Fixture>> = {
  // What is sent is no file.
  'POST /finance/statements': { ask: () => ({ path: '/finance/statements', body: {} }), answers: [415] },
  'GET /finance/statements': { ask: () => ({ path: '/finance/statements' }) },
  'GET /finance/differences': { ask: () => ({ path: '/finance/differences' }) },
  'POST /finance/differences/:id/own': act('own'),
  'POST /finance/differences/:id/note': act('note', { note: 'a charge' }),
  'POST /finance/differences/:id/close': act('close', { note: 'a charge' }),
  'GET /finance/equation': { ask: () => ({ path: '/finance/equation' }) },
  'GET /finance/batches/:id/file': {
    ask: () => ({ path: `/finance/batches/${randomUUID()}/file` }),
    answers: [404],
    says: 'There is no such file yet',
  },
};
