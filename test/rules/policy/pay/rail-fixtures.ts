import { askedHash } from '../../../infra/postgres/pay/proofs.ts';
import { randomUUID } from 'node:crypto';
import type { Approvable, Fixture } from '../fixture.ts';
import { makeStaff } from '../roles.ts';
import type { World } from '../world.ts';
import { makeDraft } from './payees.ts';
import { moneyProjectOf } from '../world.ts';

const reason = 'a look is needed';
const RAIL = 'bank-file';
const amount = '2000000';

/** Stopped for as long as the walk goes on: nothing here is paid by it. */
async function stopped(world: World): Promise<number> {
  await world.db.query(`select rail_stop($1, $2, $3)`, [RAIL, await makeStaff(world, 'finance'), reason]);
  const { rows } = await world.db.query<{ version: number }>(
    'select floor(extract(epoch from stopped_at))::float8 as version from rail where id = $1',
    [RAIL],
  );
  return rows[0]?.version ?? 0;
}

async function opening(world: World): Promise<Approvable> {
  const version = await stopped(world);
  await world.db.query(`select rail_open_ask($1, $2, $3)`, [RAIL, await makeStaff(world, 'finance'), reason]);
  return {
    binds: { action: 'rail.open', subject: RAIL, version },
    ask: (proofId) => ({
      path: `/finance/rails/${RAIL}/open/agree`,
      body: proofId ? { proof_id: proofId } : {},
    }),
  };
}

/** A payment that is stuck, as its worker would leave it. */
async function stuck(world: World): Promise<string> {
  const { id } = await makeDraft(world);
  const { rows } = await world.db.query<{ id: string }>(
    `insert into payout_dispatch (project_id, batch_id, rail, amount, items, state, next_at, job_id, made_at, state_at)
     values ($1, $2, $3, $4, 1, 'stuck', now(), gen_random_uuid(), now(), now() - interval '1 minute') returning id`,
    [moneyProjectOf(world), id, RAIL, amount],
  );
  return rows[0]?.id ?? '';
}

async function settling(world: World): Promise<Approvable> {
  const id = await stuck(world);
  await world.db.query(`select dispatch_settle_ask($1, $2, 'failed', $3)`, [
    id,
    await makeStaff(world, 'finance'),
    reason,
  ]);
  const { rows } = await world.db.query<{ version: number }>(
    'select version from payout_dispatch where id = $1',
    [id],
  );
  return {
    binds: {
      action: 'money.correct',
      subject: id,
      version: rows[0]?.version ?? 0,
      total: amount,
      ...(await askedHash(world.db, id)),
    },
    ask: (proofId) => ({
      path: `/finance/dispatches/${id}/settle/agree`,
      body: { outcome: 'failed', ...(proofId && { proof_id: proofId }) },
    }),
  };
}

const ofRail = (path: string, body: object): Fixture => ({
  ask: async (_id, world) => {
    await stopped(world);
    return { path: `/finance/rails/${RAIL}/${path}`, body };
  },
});
const ofPayment = (path: string, body: object): Fixture => ({
  make: stuck,
  ask: (id) => ({ path: `/finance/dispatches/${id}/${path}`, body }),
});

export const railFixtures: Readonly<Record<string, Fixture>> = {
  'GET /finance/rails': { ask: () => ({ path: '/finance/rails' }) },
  'POST /finance/rails/:id/stop': ofRail('stop', { reason }),
  'POST /finance/rails/:id/open': ofRail('open', { reason }),
  // Its proof is none, or nobody has asked for it.
  'POST /finance/rails/:id/open/agree': {
    ...ofRail('open/agree', { proof_id: randomUUID() }),
    answers: [403, 404],
    says: 'urn:navbat:problem:',
    proof: opening,
  },
  'GET /finance/dispatches/stuck': { ask: () => ({ path: '/finance/dispatches/stuck?limit=100' }) },
  'POST /finance/dispatches/:id/settle': ofPayment('settle', { outcome: 'paid', evidence: reason }),
  // Nobody has asked for it.
  'POST /finance/dispatches/:id/settle/agree': {
    ...ofPayment('settle/agree', { outcome: 'paid', proof_id: randomUUID() }),
    answers: [404],
    proof: settling,
  },
};
