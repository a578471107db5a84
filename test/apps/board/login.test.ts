import { createHash } from 'node:crypto';
import supertest from 'supertest';
import { describe, expect, test } from 'vitest';
import { LOGINS_PER_MINUTE } from '../../../domain/staff/login-limits.ts';
import { safeNext } from '../../../apps/board/login.ts';
import { FAILED_LOGINS_MAX, LOCK_MINUTES } from '../../../infra/postgres/staff/lock.ts';
import { cookieOf, openLogin, valueOf } from './log-in.ts';
import { PASSWORD } from './open-board.ts';

const { board, newAddress, logIn, enter, ops, later } = await openLogin();

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
