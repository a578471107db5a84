import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Fixture } from '../fixture.ts';
import { chat } from '../pay/money-fixtures.ts';
import { makePerson, moneyProjectOf, newNumber, type Owner, type World } from '../world.ts';
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

/** A day of a session that ended then, as its phone reported it and no gateway did: whoever stops a session of today meters no day without a price. */
async function dayInReview(world: World, { projectId, personId }: Owner): Promise<string> {
  const [id, book] = [uuidv7(), moneyProjectOf(world)];
  const person = projectId === book ? personId : await makePerson(world, 'live');
  await priced(world);
  await world.db.query(
    `with began as (
       insert into traffic_session (id, project_id, person_id, installation_id, started_at, ended_at, ended_because)
       values ($1, $2, $3, $4, '${DAY} 10:00+05', '${DAY} 11:00+05', 'stopped') returning *)
     insert into session_day (session_id, day, project_id, person_id, bytes, payable, tiyin_per_mb, micros, verdict, reason, unpaid, metered_at)
     select s.id, '${DAY}', s.project_id, s.person_id, 100, 100, 100, 100, 'review', 'no-counterpart', '[{"reason":"no-counterpart","bytes":"100"}]', now()
     from began s`,
    [id, book, person, installationOf(person)],
  );
  return id;
}

/** So long ago that it closed, and nobody appeals it. */
const DAY = '2026-01-15';

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
  'GET /api/sessions/:id': { make: session, ask: (id) => ({ path: `/api/sessions/${id}` }) },
  'GET /api/traffic/days/:session_id/:day': {
    make: dayInReview,
    ask: (id) => ({ path: `/api/traffic/days/${id}/${DAY}` }),
  },
  'POST /api/traffic/days/:session_id/:day/appeal': {
    make: dayInReview,
    ask: (id) => ({ path: `/api/traffic/days/${id}/${DAY}/appeal`, body: { text: 'I was at home' } }),
    answers: [409],
    says: 'appeal-late',
  },
  'GET /api/admin/appeals': { ask: () => ({ path: '/api/admin/appeals' }) },
  'POST /api/admin/appeals/:id/answer': {
    ask: (id) => ({
      path: `/api/admin/appeals/${id}/answer`,
      body: { outcome: 'upheld', answer: 'Looked at it' },
    }),
    answers: [404],
  },
  'GET /api/admin/traffic/review': { ask: () => ({ path: '/api/admin/traffic/review' }) },
  'POST /api/admin/traffic/days/:session_id/:day/decide': {
    ask: (id) => ({
      path: `/api/admin/traffic/days/${id}/${DAY}/decide`,
      body: { verdict: 'pay', reason: 'Looked at it' },
    }),
    answers: [404],
  },
  'POST /api/admin/traffic/days/:session_id/:day/take-back': {
    ask: (id) => ({ path: `/api/admin/traffic/days/${id}/${DAY}/take-back`, body: { reason: 'A server' } }),
    answers: [404],
  },
  'GET /api/admin/filter_audits': { ask: () => ({ path: '/api/admin/filter_audits' }) },
  'GET /api/dashboard/:telegram_id': {
    make: chat,
    nothing: () => String(newNumber()),
    ask: (id) => ({ path: `/api/dashboard/${id}` }),
    lacks: 403,
  },
  'GET /api/stats/daily': { ask: () => ({ path: '/api/stats/daily' }) },
  'GET /api/stats/range': { ask: () => ({ path: '/api/stats/range' }) },
  'GET /api/stats/devices': { ask: () => ({ path: '/api/stats/devices' }) },
  'GET /api/stats/countries': { ask: () => ({ path: '/api/stats/countries' }) },
  'GET /api/profile': { ask: () => ({ path: '/api/profile' }) },
  'PATCH /api/profile': { ask: () => ({ path: '/api/profile', body: { language: 'uz' } }) },
  'GET /api/admin/dashboard/summary': { ask: () => ({ path: '/api/admin/dashboard/summary' }) },
  'GET /api/admin/users': { ask: () => ({ path: '/api/admin/users' }) },
  'GET /api/admin/users/:id': { ask: (id) => ({ path: `/api/admin/users/${id}` }), answers: [404] },
  'POST /api/admin/users/:id/block': {
    ask: (id) => ({ path: `/api/admin/users/${id}/block`, body: { reason: 'looked at' } }),
    answers: [404],
  },
  'POST /api/admin/users/:id/unblock': {
    ask: (id) => ({ path: `/api/admin/users/${id}/unblock`, body: { reason: 'looked at' } }),
    answers: [404],
  },
  'GET /api/daily_price': {
    ask: async (_id, world) => {
      await priced(world);
      return { path: '/api/daily_price' };
    },
  },
  'GET /api/events': { ask: () => ({ path: '/api/events' }) },
  'GET /ws': { ask: () => ({ path: '/ws' }), isSocket: true, says: '"event":"balance"' },
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
