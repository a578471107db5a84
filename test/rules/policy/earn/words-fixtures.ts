import { randomUUID } from 'node:crypto';
import type { Fixture } from '../fixture.ts';
import { makeStaff } from '../roles.ts';
import { makePerson, moneyProjectOf, type Owner, type World } from '../world.ts';

/** People ask support in the project in which they earn: what stands for another project is another's. */
async function request(world: World, { projectId, personId, mode }: Owner): Promise<string> {
  const book = moneyProjectOf(world);
  const isEarner = projectId === book && mode === 'live';
  const { rows } = await world.db.query<{ id: string }>(
    `insert into support_request (project_id, person_id, subject, locale, state, messages, created_at, state_at)
     values ($1, $2, 'Unpaid', 'uz', 'answered', 0, now(), now()) returning id`,
    [book, isEarner ? personId : await makePerson(world, 'live')],
  );
  return rows[0]?.id ?? '';
}

const words = { en: { title: 'News', text: 'There are some.' } };

async function published(world: World): Promise<string> {
  const staff = await makeStaff(world, 'operator');
  const { rows } = await world.db.query<{ id: string }>(
    `insert into announcement (project_id, words, category, made_by, made_at, state, published_by, published_at, told_at)
     values ($1, $2, 'service', $3, now(), 'published', $3, now(), now()) returning id`,
    [moneyProjectOf(world), words, staff],
  );
  return rows[0]?.id ?? '';
}

const ifMatch = { 'If-Match': '"1"' };

export const wordsFixtures: Readonly<Record<string, Fixture>> = {
  // The same words are the same request, and not a fourth.
  'POST /api/support': {
    ask: () => ({ path: '/api/support', body: { subject: 'Unpaid', text: 'Why?' } }),
    answers: [201],
  },
  'GET /api/support': { make: request, lists: true, ask: () => ({ path: '/api/support?limit=100' }) },
  'GET /api/support/:id': { make: request, ask: (id) => ({ path: `/api/support/${id}` }) },
  'POST /api/support/:id/reply': {
    make: request,
    ask: (id) => ({ path: `/api/support/${id}/reply`, body: { text: 'And now?' } }),
  },
  'POST /api/support/:id/close': {
    make: request,
    ask: (id) => ({ path: `/api/support/${id}/close` }),
  },
  'GET /api/admin/support': { ask: () => ({ path: '/api/admin/support' }) },
  'GET /api/admin/support/:id': {
    ask: (id) => ({ path: `/api/admin/support/${id}` }),
    answers: [404],
  },
  'POST /api/admin/support/:id/answer': {
    ask: (id) => ({ path: `/api/admin/support/${id}/answer`, body: { text: 'Because.' } }),
    answers: [404],
  },
  'POST /api/admin/support/:id/close': {
    ask: (id) => ({ path: `/api/admin/support/${id}/close` }),
    answers: [404],
  },

  'GET /api/news': { ask: () => ({ path: '/api/news' }) },
  'GET /api/news/:id': { ask: async (_id, world) => ({ path: `/api/news/${await published(world)}` }) },
  'GET /api/admin/news': { ask: () => ({ path: '/api/admin/news' }) },
  'GET /api/admin/news/:id': {
    ask: async (_id, world) => ({ path: `/api/admin/news/${await published(world)}` }),
  },
  'POST /api/admin/news': { ask: () => ({ path: '/api/admin/news', body: { words } }) },
  'PUT /api/admin/news/:id': {
    ask: (id) => ({ path: `/api/admin/news/${id}`, body: { words }, headers: ifMatch }),
    answers: [404],
  },
  'POST /api/admin/news/:id/publish': {
    ask: (id) => ({ path: `/api/admin/news/${id}/publish`, headers: ifMatch }),
    answers: [404],
  },

  // Which there is not.
  'POST /api/news/promo': {
    ask: () => ({ path: '/api/news/promo', body: { code: `NO${randomUUID().slice(0, 8)}` } }),
    answers: [404],
    says: 'promo-unknown',
  },
  'GET /api/news/promo': { ask: () => ({ path: '/api/news/promo' }) },
  'GET /api/admin/promo': { ask: () => ({ path: '/api/admin/promo' }) },
  // That would have ended long ago.
  'POST /api/admin/promo': {
    ask: () => ({
      path: '/api/admin/promo',
      body: { code: 'LONGAGO', amount: '100', uses_max: 1, valid_to: '2020-01-01T00:00:00.000Z' },
    }),
    answers: [422],
    says: 'promo-dates',
  },
  'POST /api/admin/promo/:id/agree': {
    ask: (id) => ({ path: `/api/admin/promo/${id}/agree` }),
    answers: [404],
  },
  'POST /api/admin/promo/:id/end': {
    ask: (id) => ({ path: `/api/admin/promo/${id}/end` }),
    answers: [404],
  },
};
