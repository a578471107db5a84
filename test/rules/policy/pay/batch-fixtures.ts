import { randomUUID } from 'node:crypto';
import { type Approvable, type Fixture, noId } from '../fixture.ts';
import { makeStaff } from '../roles.ts';
import { moneyProjectOf, type World } from '../world.ts';
import { makeDraft, makePayout, makeSubmitted } from './payees.ts';

const batch = async (world: World) => (await makeDraft(world)).id;

/** Of which nothing is to be told any more, so that a stream of it ends. */
async function done(world: World): Promise<string> {
  const { rows } = await world.db.query<{ id: string }>(
    `insert into payout_batch (project_id, rail, name, state, content_hash, made_by, made_at, done_at)
     values ($1, 'multicard', 'done', 'done', sha256('x'), $2, now(), now()) returning id`,
    [moneyProjectOf(world), await makeStaff(world, 'finance')],
  );
  return rows[0]?.id ?? '';
}

const show = (path: string): Fixture => ({
  make: batch,
  ask: (id) => ({ path: `/finance/batches/${id}${path}` }),
});

/** Of an empty draft, of which it can't be done: that its state was looked at is all that matters here. */
const act = (name: string, body: object = {}): Fixture => ({
  make: batch,
  ask: (id) => ({ path: `/finance/batches/${id}/${name}`, headers: { 'If-Match': '"1"' }, body }),
  answers: [409],
});

const approvable = async (world: World): Promise<Approvable> => {
  const { id, version, hash, count, total } = await makeSubmitted(world);
  return {
    binds: { action: 'batch.approve', subject: id, version, hash, count, total },
    ask: (proofId) => ({
      path: `/finance/batches/${id}/approve`,
      headers: { 'If-Match': `"${version}"` },
      body: { hash, count, total, ...(proofId && { proof_id: proofId }) },
    }),
  };
};

const reason = 'a look is needed';

export const batchFixtures: Readonly<Record<string, Fixture>> = {
  'GET /finance/inbox': { ask: () => ({ path: '/finance/inbox' }) },
  'GET /finance/batches': { ask: () => ({ path: '/finance/batches' }) },
  'POST /finance/batches': {
    ask: () => ({ path: '/finance/batches', body: { rail: 'multicard', name: 'drivers' } }),
  },
  'GET /finance/batches/:id': show(''),
  'GET /finance/batches/:id/risk': show('/risk'),
  'GET /finance/batches/:id/items': show('/items'),
  'GET /finance/batches/:id/events': {
    make: done,
    ask: (id) => ({ path: `/finance/batches/${id}/events` }),
  },
  // 404: there is no such payout.
  'POST /finance/batches/:id/items': {
    ...act('items', { payouts: ['0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21'] }),
    answers: [404],
  },
  'DELETE /finance/batches/:id/items/:n': {
    make: batch,
    ask: (id) => ({ path: `/finance/batches/${id}/items/1`, headers: { 'If-Match': '"1"' } }),
    answers: [404],
  },
  // 422: an empty draft is submitted to nobody.
  'POST /finance/batches/:id/submit': { ...act('submit'), answers: [422] },
  'POST /finance/batches/:id/withdraw': act('withdraw', { reason }),
  'POST /finance/batches/:id/reject': act('reject', { reason }),
  'POST /finance/batches/:id/approve': {
    ...act('approve', { hash: 'f'.repeat(64), count: 1, total: '1', proof_id: randomUUID() }),
    proof: approvable,
  },
  'POST /finance/batches/:id/run': act('run'),
  'POST /finance/batches/:id/pause': act('pause', { reason }),
  'POST /finance/batches/:id/resume': act('resume'),
  'POST /finance/batches/:id/cancel-rest': act('cancel-rest', { reason }),
  'POST /finance/batches/:id/close': act('close'),
  'GET /finance/payouts': { ask: () => ({ path: '/finance/payouts' }) },
  // 409: what was cancelled before.
  'POST /finance/payouts/:id/cancel': {
    make: (world) => makePayout(world, noId()),
    ask: (id) => ({ path: `/finance/payouts/${id}/cancel`, body: { reason } }),
    answers: [409],
  },
  'POST /finance/payouts/:id/link': {
    ask: () => ({ path: `/finance/payouts/${randomUUID()}/link` }),
    answers: [404],
  },
  'GET /finance/payouts/:id': {
    make: (world) => makePayout(world, noId()),
    ask: (id) => ({ path: `/finance/payouts/${id}` }),
  },
};
