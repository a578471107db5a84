import supertest from 'supertest';
import { describe, expect, test } from 'vitest';
import { RECOVERY_CODES } from '../../../domain/staff/second-factor.ts';
import { LOGINS_PER_MINUTE } from '../../../domain/staff/login-limits.ts';
import { PENDING_SESSION_MINUTES, SESSION_HOURS } from '../../../domain/staff/session.ts';
import { FAILED_LOGINS_MAX } from '../../../infra/postgres/staff/lock.ts';
import { authenticator } from '../../support/authenticator.ts';
import { openLogin } from './log-in.ts';
import { type Member, PASSWORD } from './open-board.ts';

const { board, newAddress, logIn, showFactor, later } = await openLogin();

/** As a program asks: JSON, and no cookie. */
const ask = (method: 'get' | 'post' | 'delete', path: string, token?: string, from = newAddress()) =>
  supertest(board.url)
    [method](path)
    .set({ 'X-Forwarded-For': from, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) });
const password = (email: string, given = PASSWORD, from?: string) =>
  ask('post', '/staff/sessions', undefined, from).send({ email, password: given });
const factor = (token: string, code: string, from?: string) =>
  ask('post', '/staff/sessions/second-factor', token, from).send({ code });
const half = async (email: string) => (await password(email).expect(201)).body.token as string;
const full = async ({ email, app }: Pick<Member, 'email' | 'app'>) =>
  (await factor(await half(email), await app.freshCode(board.time.now)).expect(201)).body;
const minutesUntil = (time: string) => (Date.parse(time) - board.time.now.getTime()) / 60_000;

describe('a program logs in', () => {
  test('by password and code, with a token for ten minutes and another for twelve hours', async () => {
    const member = await board.createMember('finance');
    const opened = (await password(member.email).expect(201)).body;
    expect(opened).toMatchObject({ token_type: 'Bearer', second_factor: 'code' });
    expect(minutesUntil(opened.expires_at)).toBe(PENDING_SESSION_MINUTES);

    const whole = (await factor(opened.token, await member.app.freshCode(board.time.now)).expect(201)).body;
    const { id, email } = member;
    expect(whole).toMatchObject({
      staff: { id, email, role: 'finance' },
      recovery_codes_left: RECOVERY_CODES,
    });
    expect(whole).not.toHaveProperty('recovery_codes');
    expect(minutesUntil(whole.expires_at)).toBe(SESSION_HOURS * 60);
    // Whoever saw the first token holds nothing.
    expect(whole.token).not.toBe(opened.token);
    await ask('get', '/staff/sessions', opened.token).expect(401);
    await factor(opened.token, await member.app.codeAt(board.time.now)).expect(401);
    await ask('get', '/staff/sessions', whole.token).expect(200);
  });

  test('keeps its token as SHA-256 alone, and no line of the log has it', async () => {
    const { token } = await full(await board.createMember('viewer'));
    expect(token).toMatch(/^nbs_[\w-]{43}$/);
    const { rows } = await board.pool.query('select s::text row from staff_session s');
    const kept = rows.map(({ row }) => row).join('');
    expect(kept).not.toContain(token);
    expect(kept).not.toContain(Buffer.from(token).toString('hex'));
    expect(board.log.join('')).not.toContain(token.slice('nbs_'.length));
  });

  test('for the first time, with the set-up of its second factor and its recovery codes', async () => {
    const { email } = await board.createStaff('finance');
    const opened = (await password(email).expect(201)).body;
    expect(opened.second_factor).toBe('set-up');
    const setUp = () => ask('post', '/staff/sessions/second-factor/set-up', opened.token);
    const { secret, uri } = (await setUp().expect(200)).body;
    expect((await setUp().expect(200)).body.secret).toBe(secret);
    expect(uri).toContain(secret);
    expect((await factor(opened.token, '000000').expect(401)).body.type).toMatch(/second-factor-refused$/);

    const code = await authenticator(secret).codeAt(board.time.now);
    const whole = (await factor(opened.token, code).expect(201)).body;
    expect(whole.recovery_codes).toHaveLength(RECOVERY_CODES);
    const again = await half(email);
    const refused = await ask('post', '/staff/sessions/second-factor/set-up', again).expect(409);
    expect(refused.body.type).toMatch(/second-factor-exists$/);

    // Each once.
    const [recovery] = whole.recovery_codes as string[];
    expect((await factor(again, recovery ?? '').expect(201)).body.recovery_codes_left).toBe(
      RECOVERY_CODES - 1,
    );
    await factor(await half(email), recovery ?? '').expect(401);
  });

  test('with a code that it used already is refused, and with one of another login', async () => {
    const [one, other] = [await board.createMember('finance'), await board.createMember('finance')];
    const code = await one.app.freshCode(board.time.now);
    await factor(await half(one.email), code).expect(201);
    await factor(await half(one.email), code).expect(401);
    await factor(await half(other.email), await one.app.freshCode(board.time.now)).expect(401);
  });

  test('leaves the rows of the login page, and says that it was no page', async () => {
    const member = await board.createMember('operator');
    const before = (await board.audit()).length;
    await password(member.email, 'wrong').expect(401);
    const { token } = await full(member);
    await ask('delete', '/staff/sessions/current', token).expect(204);
    expect((await board.audit()).slice(before)).toMatchObject([
      {
        action: 'login',
        subject: member.email,
        detail: { outcome: 'refused', reason: 'wrong', via: 'bearer' },
      },
      { action: 'login.password', actor: member.email, detail: { outcome: 'done', via: 'bearer' } },
      { action: 'login', actor: member.email, detail: { outcome: 'done', by: 'totp', via: 'bearer' } },
      { action: 'logout', actor: member.email, detail: { outcome: 'done', via: 'bearer' } },
    ]);
  });

  test('and pushes no browser of its owner out of those that are remembered', async () => {
    const member = await board.createMember('viewer');
    const browsers = async () =>
      (await board.pool.query('select from staff_browser where staff_id = $1', [member.id])).rowCount;
    const before = await browsers();
    await full(member);
    expect(await browsers()).toBe(before);
  });
});

describe('there is one set of limits for page and program', () => {
  test('wrong passwords of both lock the login for both, and are one answer with the unknown', async () => {
    const member = await board.createMember('finance');
    for (let tries = 0; tries < FAILED_LOGINS_MAX; tries++)
      await (tries % 2 === 0 ? logIn(member.email, 'wrong') : password(member.email, 'wrong')).expect(401);
    expect((await logIn(member.email, PASSWORD)).status).toBe(401);
    const [locked, unknown] = [
      await password(member.email).expect(401),
      await password('nobody@navbat.example').expect(401),
    ];
    expect(locked.body).toEqual(unknown.body);
  });

  test('wrong codes of both lock it too', async () => {
    const member = await board.createMember('finance');
    const [page, program] = [`navbat_staff=${await board.openPending(member.id)}`, await half(member.email)];
    for (let tries = 0; tries < FAILED_LOGINS_MAX; tries++)
      await (tries % 2 === 0 ? showFactor(page, '000000') : factor(program, '000000'));
    const refused = await factor(program, await member.app.freshCode(board.time.now)).expect(401);
    expect(refused.body.detail).toContain('locked');
  });

  test.each(['password', 'second factor'])('one address has ten tries of a %s for both', async (what) => {
    const member = await board.createMember('viewer');
    const from = newAddress();
    const [page, program] = [`navbat_staff=${await board.openPending(member.id)}`, await half(member.email)];
    const tryPage = () =>
      what === 'password' ? logIn('guess@navbat.example', 'x', from) : showFactor(page, 'no code', from);
    const tryProgram = () =>
      what === 'password' ? password('guess@navbat.example', 'x', from) : factor(program, 'no code', from);
    for (let tries = 0; tries < LOGINS_PER_MINUTE; tries++)
      expect((await (tries % 2 === 0 ? tryPage() : tryProgram())).status).toBe(401);
    expect((await tryPage()).status).toBe(429);
    const refused = await tryProgram();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('of twenty guesses that are sent at the same time no more than five are looked at', async () => {
    const member = await board.createMember('finance');
    const program = await half(member.email);
    const code = await member.app.freshCode(board.time.now);
    const wrong = await Promise.all(Array.from({ length: 20 }, () => factor(program, '000000')));
    expect(wrong.map(({ status }) => status)).toEqual(Array(20).fill(401));
    await factor(program, code).expect(401);
  });

  test('another site’s page can not use the browsers of its visitors to guess', async () => {
    const { email } = await board.createStaff('viewer');
    for (const strange of [{ Origin: 'https://evil.example' }, { 'Sec-Fetch-Site': 'cross-site' }])
      expect((await password(email).set(strange)).status).toBe(403);
    const asked = await supertest(board.url).options('/staff/sessions').set('Origin', 'https://evil.example');
    expect(asked.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('one’s own sessions', () => {
  test('are listed newest first and paged, of programs and browsers, with those before a second factor', async () => {
    const member = await board.createMember('finance');
    const { token } = await full(member);
    await later(60_000, async () => void (await half(member.email)));
    const { data } = (await ask('get', '/staff/sessions', token).expect(200)).body;
    expect(data).toMatchObject([
      { via: 'bearer', extent: 'pending-2fa', current: false },
      { via: 'bearer', extent: 'full', current: true },
      { via: 'cookie', extent: 'full', current: false },
    ]);
    const first = (await ask('get', '/staff/sessions?limit=2', token).expect(200)).body;
    expect(first.data).toEqual(data.slice(0, 2));
    const rest = await ask('get', `/staff/sessions?cursor=${first.next_cursor}`, token).expect(200);
    expect(rest.body).toEqual({ data: data.slice(2), next_cursor: null });
  });

  test('end one by one, another’s never', async () => {
    const [one, other] = [await board.createMember('finance'), await board.createMember('admin')];
    const [own, strangers] = [(await full(one)).token, (await full(other)).token];
    const idOf = async (token: string, via: string) =>
      ((await ask('get', '/staff/sessions', token)).body.data as { id: string; via: string }[]).find(
        (session) => session.via === via,
      )?.id;
    await ask('delete', `/staff/sessions/${await idOf(own, 'bearer')}`, strangers).expect(404);
    await ask('delete', `/staff/sessions/${await idOf(own, 'cookie')}`, own).expect(204);
    expect((await supertest(board.url).get('/ops').set('Cookie', `navbat_staff=${one.token}`)).status).toBe(
      303,
    );
    await ask('delete', '/staff/sessions/current', own).expect(204);
    await ask('get', '/staff/sessions', own).expect(401);
    const pending = await half(one.email);
    await ask('delete', '/staff/sessions/current', pending).expect(204);
    await factor(pending, '000000').expect(401);
  });

  test('end by themselves: before the second factor after ten minutes, after it after twelve hours', async () => {
    const member = await board.createMember('finance');
    const [pending, { token }] = [await half(member.email), await full(member)];
    const code = await member.app.freshCode(board.time.now);
    await later(PENDING_SESSION_MINUTES * 60_000, async () => void (await factor(pending, code).expect(401)));
    const life = SESSION_HOURS * 3_600_000;
    await later(life - 1, async () => void (await ask('get', '/staff/sessions', token).expect(200)));
    await later(life, async () => void (await ask('get', '/staff/sessions', token).expect(401)));
  });

  test('a cookie completes no program’s login, nor a program’s token the page’s', async () => {
    const member = await board.createMember('finance');
    const code = await member.app.freshCode(board.time.now);
    const [page, program] = [await board.openPending(member.id), await half(member.email)];
    await factor(page, code).expect(401);
    await supertest(board.url)
      .post('/staff/sessions/second-factor')
      .set({
        Cookie: `navbat_staff=${page}`,
        'Sec-Fetch-Site': 'same-origin',
        'X-Forwarded-For': newAddress(),
      })
      .send({ code })
      .expect(401);
    expect((await showFactor(`navbat_staff=${program}`, code)).headers['location']).toBe('/login');
    await factor(program, code).expect(201);
  });
});

describe('a second factor', () => {
  test.each<[object, string, RegExp]>([
    [{}, '/code', /^expected either `code` or `passkey`$/],
    [{ code: '123456', passkey: {} }, '/code', /^expected either `code` or `passkey`$/],
    [{ code: 123456 }, '/code', /^expected a text/],
    [{ passkey: {} }, '/passkey/id', /^is required/],
  ])('of %j is refused, and the field named', async (body, pointer, detail) => {
    const { email } = await board.createMember('finance');
    const asked = ask('post', '/staff/sessions/second-factor', await half(email)).send(body);
    const { errors } = (await asked.expect(400)).body;
    expect(errors).toContainEqual({ pointer, detail: expect.stringMatching(detail) });
    expect(errors.map((one: { pointer: string }) => one.pointer)).not.toContain('');
  });
});

describe('the next step of a problem', () => {
  const nextStep = async (answer: supertest.Test) => (await answer).body.next_step as string;

  test('is one for staff, and not one for customers of the api', async () => {
    const member = await board.createMember('finance');
    const { token } = await full(member);
    expect(await nextStep(ask('get', '/staff/sessions').expect(401))).toContain('POST /staff/sessions');
    expect(await nextStep(ask('get', '/staff/nothing', token).expect(404))).toContain('/staff/docs');
    const misfit = ask('post', '/staff/sessions').send({}).expect(400);
    expect(await nextStep(misfit)).toContain('/staff/docs');
  });

  test('of a token of the password alone is the second factor', async () => {
    const { email } = await board.createMember('finance');
    const token = await half(email);
    expect(await nextStep(ask('get', '/staff/sessions', token).expect(401))).toContain(
      'POST /staff/sessions/second-factor',
    );
  });
});
