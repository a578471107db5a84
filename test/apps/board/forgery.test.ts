import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBoard, type OpenBoard, type SessionOwner } from './open-board.ts';
import { seedJob, seedProject } from './seed.ts';

let board: OpenBoard;
let operator: SessionOwner;
let jobId: string;
beforeAll(async () => {
  board = await openBoard();
  operator = await board.session('operator');
  const project = await seedProject(board.pool, 'shop');
  const job = await seedJob(board.pool, project, board.addressHash('+998901234567'), {
    project: 'shop',
    state: 'failed',
  });
  jobId = job.id;
});
afterAll(() => board.close());

/** Everything that changes something, as the board's own pages ask for it. */
const mutations = () =>
  [
    ['post', '/logout'],
    ['post', '/ops/search'],
    ['post', `/ops/jobs/${jobId}/retry`],
    ['post', `/ops/jobs/${jobId}/cancel`],
    ['post', '/ops/retry'],
    ['post', '/ops/queues/otp-send/pause'],
    ['put', '/api/queues/otp-send/pause'],
    ['put', `/api/queues/otp-send/${jobId}/retry`],
  ] as const;

const ask = (method: 'post' | 'put', path: string) =>
  supertest(board.url)[method](path).set('Cookie', `navbat_staff=${operator.token}`);

const nothingChanged = async () => {
  const { rows } = await board.pool.query(
    'select (select count(*)::int from queue) queues, (select state from job where id = $1) state',
    [jobId],
  );
  expect(rows[0]).toEqual({ queues: 0, state: 'failed' });
  expect((await operator.get('/ops')).status).toBe(200);
};

describe('what another site makes a browser send is refused', () => {
  test.each([
    ['by its origin', { Origin: 'https://evil.example' }],
    ['by the origin of a sandboxed frame', { Origin: 'null' }],
    ['by the same host on another port', { Origin: 'http://127.0.0.1:1' }],
    ['by Sec-Fetch-Site, whatever the origin', { 'Sec-Fetch-Site': 'cross-site' }],
    ['from a neighbouring host', { 'Sec-Fetch-Site': 'same-site' }],
    ['where neither is said', {}],
  ])('%s', async (_how, headers) => {
    for (const [method, path] of mutations()) {
      const answer = await ask(method, path).set(headers).type('form').send({ confirm: 'yes' });
      expect([path, answer.status]).toEqual([path, 403]);
    }
    await nothingChanged();
  });

  test('and leaves an audit row', async () => {
    await ask('put', '/api/queues/otp-send/pause').set('Origin', 'https://evil.example');
    expect((await board.audit()).at(-1)).toEqual({
      actor: operator.email,
      action: 'request.refused',
      subject: 'PUT /api/queues/otp-send/pause',
      detail: { outcome: 'refused', reason: 'foreign' },
    });
  });
});

describe('a form', () => {
  const forms = () => mutations().filter(([method]) => method === 'post');

  test('without its token is refused', async () => {
    for (const [method, path] of forms())
      expect(
        (await ask(method, path).set('Origin', board.url).type('form').send({ confirm: 'yes' })).status,
      ).toBe(403);
    await nothingChanged();
  });

  test('with the token of another session is refused', async () => {
    const other = await board.session('operator');
    const page = await other.get('/ops');
    const token = /name="token" value="([^"]+)"/.exec(page.text)?.[1];
    expect(token).toMatch(/^[\w-]{43}$/);
    for (const [method, path] of forms())
      expect(
        (await ask(method, path).set('Origin', board.url).type('form').send({ confirm: 'yes', token }))
          .status,
      ).toBe(403);
    await nothingChanged();
  });

  test('as plain text is refused, though a foreign page could send it unasked', async () => {
    const answer = await ask('post', '/ops/queues/otp-send/pause')
      .set('Origin', board.url)
      .type('text/plain')
      .send('{"confirm":true}');
    expect(answer.status).toBe(415);
    await nothingChanged();
  });

  test('with its own token passes', async () => {
    const answer = await operator.post('/ops/search', { q: jobId });
    expect([answer.status, answer.headers['location']]).toEqual([303, `/ops/jobs/${jobId}`]);
  });
});

test('the form token betrays nothing of the session it belongs to', async () => {
  const page = await operator.get('/ops');
  expect(page.text).not.toContain(operator.token);
});

test('pages can be framed by nobody and tell a browser to say its origin', async () => {
  for (const path of ['/ops', '/']) {
    const { headers } = await operator.get(path).set('Accept', 'text/html');
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['referrer-policy']).toBe('same-origin');
    expect(headers['cache-control']).toBe('no-store');
  }
});
