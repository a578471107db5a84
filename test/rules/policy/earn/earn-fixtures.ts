import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Fixture } from '../fixture.ts';
import { makePerson, moneyProjectOf, type Owner, type World } from '../world.ts';
import { makeStaff } from '../roles.ts';

/** People earn in one project: elsewhere nobody does, and what stands for it is another's. */
async function session(world: World, { projectId, personId }: Owner): Promise<string> {
  const [id, book] = [uuidv7(), moneyProjectOf(world)];
  const person = projectId === book ? personId : await makePerson(world, 'live');
  await priced(world);
  const { rows } = await world.db.query<{ session: string }>(
    'select session from traffic_start($1, $2, $3, $4)',
    [
      book,
      id,
      person,
      // One of the three that a person may have.
      installationOf(person),
    ],
  );
  return rows[0]?.session ?? id;
}

const installationOf = (personId: string) => personId;

/** The first price may be for today. */
async function priced(world: World): Promise<void> {
  const staff = await makeStaff(world, 'finance');
  await world.db.query(`select price_ask($1, (navbat_now() at time zone 'Asia/Tashkent')::date, 100, $2)`, [
    moneyProjectOf(world),
    staff,
  ]);
}

const report = () => ({ seq: 0, measured_at: new Date().toISOString(), bytes_up: 0, bytes_down: 0 });

export const earnFixtures: Readonly<Record<string, Fixture>> = {
  // Each asks with an installation of its own, and above three of them it is refused.
  'POST /api/traffic/start': {
    ask: async (_id, world) => {
      await priced(world);
      return { path: '/api/traffic/start', body: { installation_id: randomUUID() } };
    },
    answers: [201, 422],
  },
  'POST /api/traffic/report': {
    make: session,
    ask: (id) => ({ path: '/api/traffic/report', body: { session_id: id, reports: [report()] } }),
  },
  'POST /api/traffic/stop': {
    make: session,
    ask: (id) => ({ path: `/api/traffic/stop?session_id=${id}` }),
  },
  'GET /api/sessions': { make: session, lists: true, ask: () => ({ path: '/api/sessions?limit=100' }) },
  'GET /api/daily_price': {
    ask: async (_id, world) => {
      await priced(world);
      return { path: '/api/daily_price' };
    },
  },
  'POST /api/gateway/reports': {
    ask: () => ({
      path: '/api/gateway/reports',
      body: { reports: [{ session_id: randomUUID(), ...report() }] },
    }),
  },
  'GET /api/admin/daily_price': { ask: () => ({ path: '/api/admin/daily_price' }) },
  // Of a day that is gone.
  'POST /api/admin/daily_price': {
    ask: () => ({ path: '/api/admin/daily_price', body: { day: '2026-01-01', tiyin_per_mb: 100 } }),
    answers: [422],
    says: 'day-begun',
  },
  'POST /api/admin/daily_price/:id/agree': {
    ask: (id) => ({ path: `/api/admin/daily_price/${id}/agree` }),
    answers: [404],
  },
  'POST /api/admin/daily_price/:id/withdraw': {
    ask: (id) => ({ path: `/api/admin/daily_price/${id}/withdraw` }),
    answers: [404],
  },
};
