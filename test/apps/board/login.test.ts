import { createHash } from 'node:crypto';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOGINS_PER_MINUTE, safeNext } from '../../../apps/board/login.ts';
import { SESSION_HOURS } from '../../../domain/staff/session.ts';
import { FAILED_LOGINS_MAX, LOCK_MINUTES } from '../../../infra/postgres/staff/lock.ts';
import { type Member, openBoard, type OpenBoard, PASSWORD } from './open-board.ts';

let board: OpenBoard;
beforeAll(async () => {
  // One proxy, so that each test may come from an address of its own.
  board = await openBoard({ proxies: 1 });
});
afterAll(() => board.close());

let addresses = 0;
const newAddress = () => `192.0.2.${++addresses}`;

const logIn = (email: string, password: string, from = newAddress()) =>
  supertest(board.url)
    .post('/login')
    .set('Origin', board.url)
    .set('X-Forwarded-For', from)
    .type('form')
    .send({ email, password, next: '/ops' });

/** The whole way: the password, and a code of their authenticator. */
const enter = async ({ email, app }: Pick<Member, 'email' | 'app'>, formerCookie = '') => {
  const pending = valueOf(cookieOf(await logIn(email, PASSWORD).set('Cookie', formerCookie)));
  return showFactor(pending, await app.freshCode(board.time.now));
};
const formTokenOf = (page: supertest.Response) => /name="token" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
const showFactor = async (pending: string, code: string, from = newAddress()) => {
  const page = await supertest(board.url).get('/login/second-factor').set('Cookie', pending);
  return supertest(board.url)
    .post('/login/second-factor')
    .set('Cookie', pending)
    .set('Origin', board.url)
    .set('X-Forwarded-For', from)
    .type('form')
    .send({ code, token: formTokenOf(page), next: '/ops' });
};

const cookieOf = (answer: supertest.Response) => answer.headers['set-cookie']?.[0] ?? '';
const valueOf = (cookie: string) => cookie.split(';')[0] ?? '';
const ops = (cookie: string) => supertest(board.url).get('/ops').set('Cookie', cookie);

const later = async (milliseconds: number, work: () => Promise<void>) => {
  const before = board.time.now;
  board.time.now = new Date(before.getTime() + milliseconds);
  await work();
  board.time.now = before;
};

describe('a login', () => {
  test('opens a session whose cookie no script reads, and whose token no table holds', async () => {
    const answer = await enter(await board.createMember('viewer'));
    expect(answer.status).toBe(303);
    expect(answer.headers['location']).toBe('/ops');
    expect(cookieOf(answer)).toMatch(
      /^navbat_staff=[\w-]{43}; Max-Age=43200; Path=\/; Expires=.*; HttpOnly; SameSite=Lax$/,
    );
    expect((await ops(valueOf(cookieOf(answer)))).status).toBe(200);

    const token = valueOf(cookieOf(answer)).split('=')[1] ?? '';
    const { rows } = await board.pool.query<{ hash: string }>(
      `select encode(token_hash, 'hex') hash from staff_session`,
    );
    expect(rows.map(({ hash }) => hash)).toContain(createHash('sha256').update(token).digest('hex'));
    expect(board.log.join('')).not.toContain(token);
  });

  test('over https the cookie is bound to this host', async () => {
    const { email, token } = await board.createMember('viewer');
    const answer = await logIn(email, PASSWORD)
      .set('X-Forwarded-Proto', 'https')
      .set('Origin', board.url.replace('http', 'https'));
    expect(cookieOf(answer)).toMatch(/^__Host-navbat_staff=.*Path=\/;.*HttpOnly; Secure; SameSite=Lax$/);
    // Plain http can't plant a cookie that https would take.
    const planted = `navbat_staff=${token}`;
    expect((await ops(planted)).status).toBe(200);
    expect((await ops(planted).set('X-Forwarded-Proto', 'https')).status).toBe(303);
  });

  test('with a wrong password and with an unknown email reads the same', async () => {
    const { email } = await board.createStaff('viewer');
    const [wrong, unknown] = [await logIn(email, 'wrong'), await logIn('nobody@navbat.example', 'wrong')];
    expect([wrong.status, unknown.status]).toEqual([401, 401]);
    expect(unknown.text).toBe(wrong.text);
    expect(cookieOf(wrong)).toBe('');
  });

  test('is locked after five wrong passwords, for the right one too, and for a quarter of an hour', async () => {
    const { email } = await board.createStaff('operator');
    for (let tries = 0; tries < FAILED_LOGINS_MAX; tries++)
      expect((await logIn(email, 'wrong')).status).toBe(401);
    expect((await logIn(email, PASSWORD)).status).toBe(401);
    await later(LOCK_MINUTES * 60_000 + 1_000, async () => {
      expect((await logIn(email, PASSWORD)).status).toBe(303);
    });
    const refusals = (await board.audit()).filter(
      ({ subject, detail }) => subject === email && detail['outcome'] === 'refused',
    );
    expect(refusals.map(({ detail }) => detail['reason'])).toEqual([...Array(5).fill('wrong'), 'locked']);
  });

  test('goes on in a browser that was logged in before, while strangers keep the account locked', async () => {
    const member = await board.createMember('operator');
    const whole = await enter(member);
    const cookies = (whole.headers['set-cookie'] as unknown as string[]).map(valueOf);
    const browser = cookies.find((cookie) => cookie.startsWith('navbat_staff_browser=')) ?? '';
    expect(browser).toMatch(/=[\w-]{43}$/);
    // It opens nothing by itself.
    expect((await ops(browser)).status).toBe(303);

    for (let tries = 0; tries < FAILED_LOGINS_MAX; tries++)
      expect((await logIn(member.email, 'wrong')).status).toBe(401);
    const [elsewhere, invented, own] = [
      await logIn(member.email, PASSWORD),
      await logIn(member.email, PASSWORD).set('Cookie', `navbat_staff_browser=${'a'.repeat(43)}`),
      await logIn(member.email, PASSWORD).set('Cookie', browser),
    ];
    expect([elsewhere.status, invented.status, own.status]).toEqual([401, 401, 303]);

    // Its own wrong passwords count in it, and in no other.
    for (let tries = 0; tries < FAILED_LOGINS_MAX; tries++)
      expect((await logIn(member.email, 'wrong').set('Cookie', browser)).status).toBe(401);
    expect((await logIn(member.email, PASSWORD).set('Cookie', browser)).status).toBe(401);
  });

  test('from one address is counted over all accounts, whatever the password', async () => {
    const { email } = await board.createStaff('viewer');
    const from = newAddress();
    for (let tries = 0; tries < LOGINS_PER_MINUTE; tries++)
      expect((await logIn(`guess-${tries}@navbat.example`, 'wrong', from)).status).toBe(401);
    const refused = await logIn(email, PASSWORD, from);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await logIn(email, PASSWORD)).status).toBe(303);
  });

  test('that another site sends is refused', async () => {
    const { email } = await board.createStaff('viewer');
    expect((await logIn(email, PASSWORD).set('Origin', 'https://evil.example')).status).toBe(403);
    expect((await logIn(email, PASSWORD).set('Origin', 'null')).status).toBe(403);
    expect((await logIn(email, PASSWORD).set('Sec-Fetch-Site', 'cross-site')).status).toBe(403);
  });

  test('leaves no password in the audit, even one typed as an email', async () => {
    await logIn('hunter2 hunter2', 'hunter2 hunter2');
    expect(JSON.stringify(await board.audit())).not.toContain('hunter2');
    expect(board.log.join('')).not.toContain('hunter2');
  });

  test('with a text that Postgres refuses is a wrong one and no fault of ours', async () => {
    expect((await logIn('a\u0000@navbat.example', 'x')).status).toBe(401);
  });
});

describe('a session', () => {
  const sessionOf = async (member: Member) => valueOf(cookieOf(await enter(member)));

  test('lives for twelve hours and not a second longer', async () => {
    const cookie = await sessionOf(await board.createMember('viewer'));
    await later(SESSION_HOURS * 3_600_000 - 1_000, async () => {
      expect((await ops(cookie)).status).toBe(200);
    });
    await later(SESSION_HOURS * 3_600_000, async () => {
      expect((await ops(cookie)).status).toBe(303);
    });
  });

  test('ends with its logout, and with the next login of the same browser', async () => {
    const member = await board.createMember('viewer');
    const first = await sessionOf(member);
    const second = valueOf(cookieOf(await enter(member, first)));
    expect((await ops(first)).status).toBe(303);
    expect((await ops(second)).status).toBe(200);

    const page = await supertest(board.url).get('/logout').set('Cookie', second);
    const token = formTokenOf(page);
    const left = await supertest(board.url)
      .post('/logout')
      .set('Cookie', second)
      .set('Origin', board.url)
      .type('form')
      .send({ token });
    expect(left.headers['location']).toBe('/login');
    expect((await ops(second)).status).toBe(303);
  });

  test('of a disabled account ends at once', async () => {
    const member = await board.createMember('admin');
    const { id } = member;
    const cookie = await sessionOf(member);
    await board.pool.query('update staff set disabled_at = $2 where id = $1', [id, board.time.now]);
    expect((await ops(cookie)).status).toBe(303);
  });

  test('takes the role of now, not that of the login', async () => {
    const member = await board.createMember('admin');
    const { id } = member;
    const cookie = await sessionOf(member);
    await board.pool.query(`update staff set role = 'viewer' where id = $1`, [id]);
    const answer = await supertest(board.url)
      .put('/api/queues/otp-send/pause')
      .set('Cookie', cookie)
      .set('Origin', board.url);
    expect(answer.status).toBe(403);
  });
});

describe('without a session', () => {
  test.each([
    '/',
    '/queue/otp-send',
    '/static/css/main.css',
    '/ops',
    '/ops/jobs?state=rejected',
    '/ops/audit',
    '/nothing',
  ])('people at %s are sent to the login and back', async (path) => {
    const answer = await supertest(board.url).get(path).set('Accept', 'text/html');
    expect(answer.status).toBe(303);
    expect(answer.headers['location']).toBe(`/login?next=${encodeURIComponent(path)}`);
  });

  test('programs and Bull Board itself get 401', async () => {
    expect((await supertest(board.url).get('/ops').set('Accept', 'application/json')).status).toBe(401);
    expect((await supertest(board.url).get('/api/queues')).status).toBe(401);
    expect(
      (await supertest(board.url).put('/api/queues/otp-send/pause').set('Origin', board.url)).status,
    ).toBe(401);
  });

  test('health answers', async () => {
    const { status, body } = await supertest(board.url).get('/health');
    expect([status, body]).toEqual([200, { status: 'up', postgres: 'up', redis: 'up' }]);
  });
});

test.each([
  ['/ops/jobs?state=rejected', '/ops/jobs?state=rejected'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['https://evil.example', '/'],
  ['/a\r\nSet-Cookie: x', '/'],
  ['/logout', '/'],
  [undefined, '/'],
  [['/ops', '/ops'], '/'],
])('after the login %j leads to %j', (next, leads) => {
  expect(safeNext(next)).toBe(leads);
});

test('the login page asks nothing of anybody else', async () => {
  const { text, headers } = await supertest(board.url).get('/login');
  expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
  expect(text).not.toMatch(/<script|style="/);
  expect(headers['content-security-policy']).toContain("default-src 'none'");
});
