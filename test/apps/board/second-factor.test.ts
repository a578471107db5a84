import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOGINS_PER_MINUTE } from '../../../domain/staff/login-limits.ts';
import { boardRules, type Rule } from '../../../domain/staff/access/route-rules.ts';
import { PENDING_SESSION_MINUTES } from '../../../domain/staff/session.ts';
import { FAILED_LOGINS_MAX, LOCK_MINUTES } from '../../../infra/postgres/staff/lock.ts';
import { type Authenticator, authenticator } from '../../support/authenticator.ts';
import { scanSvg } from '../../support/scan-svg.ts';
import { type Member, openBoard, type OpenBoard, PASSWORD } from './open-board.ts';

let board: OpenBoard;
beforeAll(async () => {
  // One proxy, so that each request may come from an address of its own.
  board = await openBoard({ proxies: 1 });
});
afterAll(() => board.close());

const PATH = '/login/second-factor';
const WRONG = '000000';
let addresses = 0;
const newAddress = () => `198.51.100.${++addresses % 250}`;

const ask = (method: 'get' | 'post', path: string, cookie: string, from = newAddress()) =>
  supertest(board.url)
    [method](path)
    .set('Cookie', cookie)
    .set('Origin', board.url)
    .set('X-Forwarded-For', from)
    .set('Accept', 'text/html');
const formTokenOf = ({ text }: supertest.Response) => /name="token" value="([^"]+)"/.exec(text)?.[1] ?? '';
const cookieOf = (answer: supertest.Response) =>
  (answer.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';

/** The cookie after a right password. */
async function passwordOf(email: string, former = ''): Promise<string> {
  const answer = await ask('post', '/login', former)
    .type('form')
    .send({ email, password: PASSWORD, next: '/ops/jobs' });
  expect([answer.status, answer.headers['location']]).toEqual([303, `${PATH}?next=%2Fops%2Fjobs`]);
  return cookieOf(answer);
}

async function show(pending: string, code: string, from = newAddress()): Promise<supertest.Response> {
  const page = await ask('get', PATH, pending, from);
  return ask('post', PATH, pending, from)
    .type('form')
    .send({ code, token: formTokenOf(page), next: '/ops/jobs' });
}

const codeNow = ({ app }: { app: Authenticator }) => app.codeAt(board.time.now);
const isInside = async (cookie: string) => (await ask('get', '/ops', cookie)).status === 200;

const later = async (milliseconds: number, work: () => Promise<void>) => {
  const before = board.time.now;
  board.time.now = new Date(before.getTime() + milliseconds);
  await work();
  board.time.now = before;
};

const rowsOf = async (email: string) =>
  (await board.audit())
    .filter(({ subject }) => subject === email)
    .map(({ action, detail: { address: _address, ...detail } }) => [action, detail]);

describe('the first login', () => {
  test('shows a QR code and the same secret as text, and takes the code that an app makes of it', async () => {
    const { email } = await board.createStaff('viewer');
    const pending = await passwordOf(email);
    const page = await ask('get', PATH, pending);
    const uri = new URL(scanSvg(page.text));
    expect(decodeURIComponent(uri.pathname)).toBe(`/Navbat:${email}`);
    const secret = uri.searchParams.get('secret') ?? '';
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(page.text).toContain(secret.replaceAll(/.{4}(?=.)/g, '$& '));
    expect(page.headers['cache-control']).toBe('no-store');
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'self'; img-src 'self';/,
    );
    expect(page.text).not.toMatch(/<script|style="/);
    expect(await isInside(pending)).toBe(false);

    const answer = await show(pending, await authenticator(secret).codeAt(board.time.now));
    expect(answer.status).toBe(200);
    const codes = [...answer.text.matchAll(/<li>([A-Z2-7-]{19})<\/li>/g)].map(([, code]) => code);
    expect(codes).toHaveLength(10);
    expect(answer.text).toContain('href="/ops/jobs"');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(await isInside(cookieOf(answer))).toBe(true);

    expect(await rowsOf(email)).toEqual([
      ['login.password', { outcome: 'done' }],
      ['second-factor.set-up', { outcome: 'done' }],
      ['login', { outcome: 'done', by: 'totp' }],
    ]);
    const told = JSON.stringify(await board.audit()) + board.log.join('');
    for (const each of [secret, ...codes]) expect(told).not.toContain(each);
  });

  test('shows the same secret again after a wrong code, which locks nothing: there is nothing to guess', async () => {
    const { email } = await board.createStaff('viewer');
    const pending = await passwordOf(email);
    const secret = new URL(scanSvg((await ask('get', PATH, pending)).text)).searchParams.get('secret') ?? '';
    for (let n = 0; n <= FAILED_LOGINS_MAX; n++) {
      const wrong = await show(pending, WRONG);
      expect(wrong.status).toBe(401);
      expect(new URL(scanSvg(wrong.text)).searchParams.get('secret')).toBe(secret);
    }
    expect((await show(pending, await authenticator(secret).codeAt(board.time.now))).status).toBe(200);
  });

  test('leads whom another session overtook to the question for a code', async () => {
    const { email } = await board.createStaff('viewer');
    const [guesser, owner] = [await passwordOf(email), await passwordOf(email)];
    const secretOf = async (pending: string) =>
      authenticator(
        new URL(scanSvg((await ask('get', PATH, pending)).text)).searchParams.get('secret') ?? '',
      );
    const [known, app] = [await secretOf(guesser), await secretOf(owner)];
    expect((await show(owner, await app.codeAt(board.time.now))).status).toBe(200);
    const late = await show(guesser, await known.codeAt(board.time.now));
    expect(late.status).toBe(401);
    expect(late.text).not.toContain('<svg');
    expect(await isInside(guesser)).toBe(false);
  });
});

describe('a login', () => {
  test('takes a code of the authenticator, once', async () => {
    const member = await board.createMember('viewer');
    const code = await codeNow(member);
    const answer = await show(await passwordOf(member.email), code);
    expect([answer.status, answer.headers['location']]).toEqual([303, '/ops/jobs']);
    expect(answer.headers['set-cookie']?.[0]).toMatch(/Max-Age=43200; Path=\/; .*HttpOnly; SameSite=Lax$/);
    expect(await isInside(cookieOf(answer))).toBe(true);

    const again = await show(await passwordOf(member.email), code);
    expect(again.status).toBe(401);
    expect(again.text).toContain('used already');
    expect(cookieOf(again)).toBe('');
    expect(await rowsOf(member.email)).toEqual([
      ['login.password', { outcome: 'done' }],
      ['login', { outcome: 'done', by: 'totp', recovery_codes_left: 10 }],
      ['login.password', { outcome: 'done' }],
      ['login.second-factor', { outcome: 'refused', reason: 'used' }],
    ]);
  });

  test('takes a recovery code once, and says how many are left', async () => {
    const member = await board.createMember('viewer');
    const [code = ''] = member.recoveryCodes;
    const answer = await show(await passwordOf(member.email), code.toLowerCase());
    expect([answer.status, answer.headers['location']]).toEqual([303, '/account']);
    const account = await ask('get', '/account', cookieOf(answer)).set('Accept', 'application/json');
    expect(account.body).toMatchObject({ email: member.email, recovery_codes_left: 9 });
    expect((await show(await passwordOf(member.email), code)).status).toBe(401);
    expect(JSON.stringify(await board.audit()) + board.log.join('')).not.toMatch(
      new RegExp(`${code}|${code.replaceAll('-', '')}`, 'i'),
    );
  });

  test('is locked by wrong passwords and wrong codes together, and the page says so to whoever had the password', async () => {
    const member = await board.createMember('operator');
    await ask('post', '/login', '').type('form').send({ email: member.email, password: 'wrong' });
    const pending = await passwordOf(member.email);
    for (let n = 1; n < FAILED_LOGINS_MAX; n++) expect((await show(pending, WRONG)).status).toBe(401);
    const locked = await show(pending, await codeNow(member));
    expect([locked.status, /locked for a quarter of an hour/.test(locked.text)]).toEqual([401, true]);
    const refused = await ask('post', '/login', '')
      .type('form')
      .send({ email: member.email, password: PASSWORD });
    expect(refused.status).toBe(401);
    expect((await rowsOf(member.email)).slice(-2)).toEqual([
      ['login.second-factor', { outcome: 'refused', reason: 'locked' }],
      ['login', { outcome: 'refused', reason: 'locked' }],
    ]);
    await later(LOCK_MINUTES * 60_000, async () => {
      const answer = await show(await passwordOf(member.email), await codeNow(member));
      expect(answer.headers['location']).toBe('/ops/jobs');
    });
  });

  test('is slowed down for one address, whatever the session', async () => {
    const from = newAddress();
    const statuses = [];
    for (let n = 0; n <= LOGINS_PER_MINUTE; n++) {
      const { id } = await board.createMember('viewer');
      statuses.push((await show(`navbat_staff=${await board.openPending(id)}`, WRONG, from)).status);
    }
    expect(statuses).toEqual([...Array(LOGINS_PER_MINUTE).fill(401), 429]);
  });

  test('answers a program as JSON', async () => {
    const { email } = await board.createStaff('finance');
    const json = (path: string, cookie: string, body?: object) => {
      const asked = ask(body ? 'post' : 'get', path, cookie).set('Accept', 'application/json');
      return body ? asked.send(body) : asked;
    };
    const login = () => json('/login', '', { email, password: PASSWORD });
    const first = await login();
    expect([first.status, first.body]).toEqual([200, { email, second_factor: 'set-up' }]);
    const offer = await json(PATH, cookieOf(first));
    expect(offer.body).toEqual({
      second_factor: 'set-up',
      secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
      uri: expect.stringContaining('otpauth://totp/Navbat:'),
    });
    const app = authenticator(offer.body.secret);
    const opened = await json(PATH, cookieOf(first), { code: await app.freshCode(board.time.now) });
    expect(opened.body).toEqual({ email, role: 'finance', recovery_codes: expect.any(Array) });

    const second = await login();
    expect(second.body).toEqual({ email, second_factor: 'code' });
    expect((await json(PATH, cookieOf(second))).body).toEqual({ second_factor: 'code' });
    const wrong = await json(PATH, cookieOf(second), { code: WRONG });
    expect([wrong.status, wrong.body.type]).toEqual([401, 'urn:navbat:problem:second-factor-refused']);
    const passed = await json(PATH, cookieOf(second), { code: await app.freshCode(board.time.now) });
    expect(passed.body).toEqual({ email, role: 'finance', recovery_codes_left: 10 });
    const gone = await json(PATH, cookieOf(second), { code: WRONG });
    expect([gone.status, gone.body.type]).toEqual([401, 'urn:navbat:problem:unauthenticated']);
  });
});

describe('a pending session', () => {
  let member: Member;
  let pending: string;
  beforeAll(async () => {
    member = await board.createMember('admin');
    pending = `navbat_staff=${await board.openPending(member.id)}`;
  });

  const isForPending = (rule: Rule) =>
    rule.by === 'anyone' || (rule.by === 'session' && rule.extent !== 'full');
  const rules = Object.entries<Rule>(boardRules);
  const routes = rules.filter(([, rule]) => !isForPending(rule)).map(([route]) => route);
  const pathOf = (path: string) => path.replaceAll(/[:*]\w+/g, 'otp-send');

  test('reaches four routes more than nobody does', () => {
    expect(
      rules.filter(([, rule]) => isForPending(rule) && rule.by !== 'anyone').map(([route]) => route),
    ).toEqual([`GET ${PATH}`, `POST ${PATH}`, 'GET /logout', 'POST /logout']);
    expect(routes.length).toBeGreaterThan(30);
  });

  test.each([...routes, 'GET /nothing'])('does not reach %s', async (route) => {
    const [method = '', path = ''] = route.split(' ');
    const request = () =>
      supertest(board.url)
        [method.toLowerCase() as 'get' | 'post' | 'put'](pathOf(path))
        .set('Cookie', pending)
        .set('Origin', board.url);
    expect((await request().set('Accept', 'application/json').type('json')).status).toBe(401);
    const { status, headers } = await request().set('Accept', 'text/html');
    const isPage = method === 'GET' && !path.startsWith('/api/');
    expect([status, headers['location']]).toEqual(
      isPage ? [303, `${PATH}?next=${encodeURIComponent(pathOf(path))}`] : [401, undefined],
    );
  });

  test('lives for ten minutes and not a second longer', async () => {
    const token = `navbat_staff=${await board.openPending(member.id)}`;
    await later(PENDING_SESSION_MINUTES * 60_000 - 1_000, async () => {
      expect((await ask('get', PATH, token)).status).toBe(200);
    });
    await later(PENDING_SESSION_MINUTES * 60_000, async () => {
      expect((await ask('get', PATH, token)).headers['location']).toBe('/login');
      const answer = await ask('post', PATH, token)
        .type('form')
        .send({ code: await codeNow(member) });
      expect([answer.status, cookieOf(answer)]).toEqual([303, '']);
    });
  });

  test('is another one after the second factor: who planted it, or saw it, holds nothing', async () => {
    const victim = await board.createMember('admin');
    // The attacker's own, planted in the victim's browser before the login.
    const planted = `navbat_staff=${await board.openPending(member.id)}`;
    const seen = await passwordOf(victim.email, planted);
    expect(seen).not.toBe(planted);
    expect((await ask('get', PATH, planted)).headers['location']).toBe('/login');
    const whole = cookieOf(await show(seen, await codeNow(victim)));
    expect(whole).not.toBe(seen);
    expect(await isInside(whole)).toBe(true);
    expect(await isInside(seen)).toBe(false);
    expect((await ask('get', PATH, seen)).headers['location']).toBe('/login');
  });

  test('ends with its logout', async () => {
    const token = `navbat_staff=${await board.openPending(member.id)}`;
    const page = await ask('get', PATH, token);
    await ask('post', '/logout', token)
      .type('form')
      .send({ token: formTokenOf(page) });
    expect((await ask('get', PATH, token)).headers['location']).toBe('/login');
  });

  test('takes no code that another site sends, and none without the form’s token', async () => {
    const token = `navbat_staff=${await board.openPending(member.id)}`;
    const code = await codeNow(member);
    const page = await ask('get', PATH, token);
    const form = { code, token: formTokenOf(page) };
    const foreign = await ask('post', PATH, token)
      .set('Origin', 'https://evil.example')
      .type('form')
      .send(form);
    const bare = await ask('post', PATH, token).type('form').send({ code });
    expect([foreign.status, bare.status]).toEqual([403, 403]);
    expect((await ask('post', PATH, token).type('form').send(form)).status).toBe(303);
  });
});

test('a full session has nothing to do at the second factor', async () => {
  const { token } = await board.createMember('viewer');
  expect((await ask('get', PATH, `navbat_staff=${token}`)).headers['location']).toBe('/');
});
