import { randomUUID } from 'node:crypto';
import type { Approvable, Fixture } from '../fixture.ts';
import { makeStaff } from '../roles.ts';
import { moneyProjectOf, type World } from '../world.ts';

const reason = 'payment order 1';
const amount = '2000000';

/** A top-up that somebody of finance has asked for. */
async function asked(world: World): Promise<string> {
  const book = moneyProjectOf(world);
  const { rows } = await world.db.query<{ id: string }>(
    `select id from money_correction_ask($1, 'top-up', 'funded', $1, null, $2, $3, $4)`,
    [book, amount, reason, await makeStaff(world, 'finance')],
  );
  return rows[0]?.id ?? '';
}

const ask = (path: string, body: (world: World) => object): Fixture => ({
  ask: (_id, world) => ({
    path: `/finance/${path}`,
    headers: { 'Idempotency-Key': randomUUID() },
    body: { ...body(world), amount, reason },
  }),
});

const end = (name: string, body: object): Fixture => ({
  make: asked,
  ask: (id) => ({ path: `/finance/corrections/${id}/${name}`, headers: { 'If-Match': '"1"' }, body }),
});

const approvable = async (world: World): Promise<Approvable> => {
  const id = await asked(world);
  return {
    binds: { action: 'money.correct', subject: id, version: 1, total: amount },
    ask: (proofId) => ({
      path: `/finance/corrections/${id}/agree`,
      headers: { 'If-Match': '"1"' },
      body: proofId ? { proof_id: proofId } : {},
    }),
  };
};

export const correctionFixtures: Readonly<Record<string, Fixture>> = {
  'POST /finance/top-ups': ask('top-ups', (world) => ({ project_id: moneyProjectOf(world) })),
  'POST /finance/wallet-top-ups': ask('wallet-top-ups', () => ({ rail: 'multicard' })),
  'POST /finance/adjustments': ask('adjustments', (world) => ({
    of: 'project',
    owner_id: moneyProjectOf(world),
    direction: 'up',
  })),
  // There is no such person.
  'POST /finance/write-offs': { ...ask('write-offs', () => ({ person_id: randomUUID() })), answers: [422] },
  'GET /finance/corrections': { ask: () => ({ path: '/finance/corrections' }) },
  'GET /finance/corrections/:id': { make: asked, ask: (id) => ({ path: `/finance/corrections/${id}` }) },
  // Its proof is none.
  'POST /finance/corrections/:id/agree': {
    ...end('agree', { proof_id: randomUUID() }),
    answers: [403],
    says: 'proof-unknown',
    proof: approvable,
  },
  'POST /finance/corrections/:id/withdraw': end('withdraw', { reason }),
};
