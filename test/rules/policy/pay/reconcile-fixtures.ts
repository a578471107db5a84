import { createHash, randomUUID } from 'node:crypto';
import type { Approvable, Fixture } from '../fixture.ts';
import { makeStaff } from '../roles.ts';
import { moneyProjectOf, type World } from '../world.ts';
import { makeSubmitted } from './payees.ts';

/** A line of nobody's in a statement that somebody of finance has uploaded. */
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
    `select statement_open($1, 'bank-file', $2, '2026-11-29T00:00:00Z', '2026-11-30T00:00:00Z', $3) id`,
    [
      moneyProjectOf(world),
      createHash('sha256').update(randomUUID()).digest(),
      await makeStaff(world, 'finance'),
    ],
  );
  await db.query('select statement_import($1, $2)', [
    made[0]?.id,
    JSON.stringify([{ ...line, bucket: 'only-theirs', suggestions: [] }]),
  ]);
  const { rows } = await db.query<{ id: string }>('select id from difference where subject = $1', [line.key]);
  return rows[0]?.id ?? '';
}

const NET = '2000000';

/** A statement that somebody of finance has uploaded, of which a line says that a payment came back. */
async function uploaded(world: World) {
  const { id: batch } = await makeSubmitted(world);
  const hash = createHash('sha256').update(randomUUID()).digest();
  const { rows } = await world.db.query<{ id: string }>(
    `select statement_open($1, 'bank-file', $2, '2026-11-29T00:00:00Z', '2026-11-30T00:00:00Z', $3) id`,
    [moneyProjectOf(world), hash, await makeStaff(world, 'finance')],
  );
  const id = rows[0]?.id ?? '';
  await world.db.query(
    `with made as (
       insert into payout_dispatch (project_id, batch_id, rail, amount, items, state, next_at, job_id, made_at, state_at)
         values ($1, $2, 'bank-file', $4, 1, 'exported', now(), gen_random_uuid(), now(), now()) returning id)
     insert into statement_line (project_id, rail, key, statement_id, direction, amount, commission, at, bucket, dispatch_id, payout_id, decided_at)
       select $1, 'bank-file', $3::uuid::text, $3, 'back', $4, 0, now(), 'early', made.id, i.payout_id, now()
       from made, payout_item i where i.batch_id = $2 limit 1`,
    [moneyProjectOf(world), batch, id, NET],
  );
  return { id, hash: hash.toString('hex') };
}

const approvable = async (world: World): Promise<Approvable> => {
  const { id, hash } = await uploaded(world);
  return {
    binds: { action: 'money.correct', subject: id, version: 1, hash, count: 1, total: NET },
    ask: (proofId) => ({
      path: `/finance/statements/${id}/agree`,
      body: proofId ? { proof_id: proofId } : {},
    }),
  };
};

const act = (name: string, body?: object): Fixture => ({
  make: difference,
  ask: (id) => ({ path: `/finance/differences/${id}/${name}`, body }),
});

export const reconcileFixtures: Readonly<Record<string, Fixture>> = {
  // What is sent is no file.
  'POST /finance/statements': { ask: () => ({ path: '/finance/statements', body: {} }), answers: [415] },
  'GET /finance/statements': { ask: () => ({ path: '/finance/statements' }) },
  // Its proof is none.
  'POST /finance/statements/:id/agree': {
    make: async (world) => (await uploaded(world)).id,
    ask: (id) => ({ path: `/finance/statements/${id}/agree`, body: { proof_id: randomUUID() } }),
    answers: [403],
    says: 'proof-unknown',
    proof: approvable,
  },
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
