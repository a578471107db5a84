import { createHash, createHmac, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { decodeJwt, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Navbat, type Reply, startNavbat, type TestProject, until } from '../../../support/navbat.ts';
import { type PhoneSession, send } from '../../../support/phone.ts';
import { codeAfter, platformApp, signInByCode } from '../../../support/platform.ts';

const BOT_SLUG = 'school';
const previous = newKey('j0');

let navbat: Navbat;
let shop: TestProject;
let bank: TestProject;
let app: TestProject;
let nextPerson = 3_000;

beforeAll(async () => {
  navbat = await startNavbat({
    env: {
      TELEGRAM_CHAT_GAP_MS: '1',
      BOT_PROJECT: BOT_SLUG,
      JWT_PREVIOUS_JWKS: JSON.stringify([publicHalf(previous)]),
    },
  });
  shop = await navbat.createProject({ settings: { display_name: 'Shop', telegram_sign_in: true } });
  bank = await navbat.createProject({
    access: 'publishable',
    scopes: ['public'],
    settings: { telegram_sign_in: true },
  });
  app = await platformApp(navbat);
});
afterAll(() => navbat.stop());

function newKey(kid: string) {
  return { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid };
}
type Key = ReturnType<typeof newKey>;
function publicHalf({ d: _secret, ...key }: Key): JWK {
  return key as JWK;
}

const newNumber = () => `+99890777${nextPerson++}`;

const asPerson = (token: string, method: string, path: string, body?: unknown): Promise<Reply> =>
  send(navbat.apiUrl + path, method, body, { Authorization: `Bearer ${token}` });
const listOf = ({ access_token }: Pick<PhoneSession, 'access_token'>) =>
  asPerson(access_token, 'GET', '/auth/sessions');
const refresh = (refresh_token: string) => send(`${navbat.apiUrl}/auth/refresh`, 'POST', { refresh_token });
const problem = (status: number, type: string, more: object = {}) => ({
  status,
  body: { type: `urn:navbat:problem:${type}`, ...more },
});
const TOKENS = {
  status: 200,
  body: {
    access_token: expect.stringMatching(/^ey[\w-]+\.[\w-]+\.[\w-]+$/),
    token_type: 'Bearer',
    expires_in: 600,
    refresh_token: expect.stringMatching(/^[\w-]{70}$/),
    sub: expect.any(String),
    session_id: expect.any(String),
  },
};

/** As the Login widget hands it to a page. */
function widget(telegramId: number, ageSeconds = 0, token = navbat.env['TELEGRAM_BOT_TOKEN'] ?? '') {
  const fields = {
    id: telegramId,
    first_name: 'Aziza',
    username: `aziza${randomBytes(4).toString('hex')}`,
    auth_date: Math.floor(Date.now() / 1_000) - ageSeconds,
  };
  const key = createHash('sha256').update(token).digest();
  return { ...fields, hash: createHmac('sha256', key).update(linesOf(fields)).digest('hex') };
}

const linesOf = (fields: object) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
    .join('\n');

describe('a session', () => {
  test('goes on with its refresh token, once', async () => {
    const session = await signInByCode(navbat, shop, newNumber());
    const next = await refresh(session.refresh_token);
    expect(next).toMatchObject({
      ...TOKENS,
      body: { ...TOKENS.body, sub: session.sub, session_id: session.session_id },
    });
    expect(next.headers.get('cache-control')).toBe('no-store');
    expect(await listOf(next.body)).toMatchObject({ status: 200 });
    // The time of the proof stays what it was.
    expect(decodeJwt(next.body.access_token)['auth_time']).toBe(decodeJwt(session.access_token)['auth_time']);
  });

  test('gives whoever asks again the same successor until that was used, fifty at once too', async () => {
    const session = await signInByCode(navbat, shop, newNumber());
    const replies = await Promise.all(Array.from({ length: 50 }, () => refresh(session.refresh_token)));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    const tokens = new Set(replies.map(({ body }) => body.refresh_token));
    expect(tokens.size).toBe(1);
    expect(tokens).not.toContain(session.refresh_token);
    expect((await refresh([...tokens][0])).status).toBe(200);
  });

  test('ends for all when a token is used again later', async () => {
    const session = await signInByCode(navbat, shop, newNumber());
    const next = (await refresh(session.refresh_token)).body;
    await navbat.db.query(`update session set refreshed_at = refreshed_at - interval '601 s' where id = $1`, [
      session.session_id,
    ]);
    expect(await refresh(session.refresh_token)).toMatchObject(problem(401, 'refresh-token-reused'));
    expect(await refresh(next.refresh_token)).toMatchObject(problem(401, 'refresh-token-reused'));
    for (const { access_token } of [session, next])
      expect(await listOf({ access_token })).toMatchObject(problem(401, 'unauthenticated'));
  });

  test('is nobody’s with a token that we never made', async () => {
    for (const text of ['', 'x', 'A'.repeat(70), 'A'.repeat(128)])
      expect(await refresh(text)).toMatchObject(problem(401, 'session-ended'));
    expect((await refresh('A'.repeat(129))).status).toBe(400);
  });

  test('is listed for its person, at one project or in Navbat’s app at all, page by page', async () => {
    const number = newNumber();
    const atShop = await signInByCode(navbat, shop, number);
    const atBank = await signInByCode(navbat, bank, number);
    const inApp = await signInByCode(navbat, app, number);
    const stranger = await signInByCode(navbat, shop, newNumber());
    const own = await listOf(atShop);
    expect(own.body.data).toEqual([
      {
        id: atShop.session_id,
        current: true,
        project: { id: shop.id, name: 'Shop' },
        method: 'code',
        device: null,
        user_agent: null,
        created_at: expect.any(String),
        last_used_at: expect.any(String),
        expires_at: expect.any(String),
      },
    ]);
    const ids = (reply: Reply) => reply.body.data.map(({ id }: { id: string }) => id);
    const first = await asPerson(inApp.access_token, 'GET', '/auth/sessions?limit=2');
    expect(ids(first)).toEqual([inApp.session_id, atBank.session_id]);
    expect(first.body.data[1].user_agent).toBe('node');
    const rest = await asPerson(
      inApp.access_token,
      'GET',
      `/auth/sessions?limit=2&cursor=${first.body.next_cursor}`,
    );
    expect(ids(rest)).toEqual([atShop.session_id]);
    expect(rest.body.next_cursor).toBeNull();
    expect(ids(await listOf(stranger))).toEqual([stranger.session_id]);
  });

  test('is ended by its person, who proved themselves a moment ago, and refused at once', async () => {
    const number = newNumber();
    const atShop = await signInByCode(navbat, shop, number);
    const atBank = await signInByCode(navbat, bank, number);
    const inApp = await signInByCode(navbat, app, number);
    const stranger = await signInByCode(navbat, shop, newNumber());
    const end = (by: PhoneSession, id: string) => asPerson(by.access_token, 'DELETE', `/auth/sessions/${id}`);
    // Another's, another project's, and none at all read the same.
    for (const [by, id] of [
      [stranger, atShop.session_id],
      [atBank, atShop.session_id],
      [atBank, inApp.session_id],
      [inApp, stranger.session_id],
      [inApp, randomUUID()],
    ] as const)
      expect(await end(by, id)).toMatchObject(problem(404, 'not-found'));
    expect(await listOf(atShop)).toMatchObject({ status: 200 });

    expect(await end(inApp, atShop.session_id)).toMatchObject({ status: 204 });
    expect(await listOf(atShop)).toMatchObject(problem(401, 'unauthenticated'));
    expect(await refresh(atShop.refresh_token)).toMatchObject(problem(401, 'session-ended'));
    expect(await end(inApp, atShop.session_id)).toMatchObject({ status: 404 });

    await navbat.db.query(
      `update session set authenticated_at = authenticated_at - interval '301 s' where id = $1`,
      [inApp.session_id],
    );
    const late = await end(inApp, atBank.session_id);
    expect(late).toMatchObject(problem(401, 'unauthenticated'));
    expect(late.headers.get('www-authenticate')).toContain('insufficient_user_authentication');
    expect(await listOf(atBank)).toMatchObject({ status: 200 });
  });

  test('is ended by signing out, however old its proof', async () => {
    const session = await signInByCode(navbat, shop, newNumber());
    await navbat.db.query(`update session set authenticated_at = now() - interval '9 days' where id = $1`, [
      session.session_id,
    ]);
    expect(await asPerson(session.access_token, 'POST', '/auth/sign-out')).toMatchObject({ status: 204 });
    expect(await listOf(session)).toMatchObject(problem(401, 'unauthenticated'));
    expect(await refresh(session.refresh_token)).toMatchObject(problem(401, 'session-ended'));
  });
});

test('a phone that another account proves at the bot ends its former holder’s sessions at once (X16)', async () => {
  await navbat.db.query('update project set slug = $2 where id = $1', [
    (await navbat.createProject()).id,
    BOT_SLUG,
  ]);
  await navbat.start('apps/bot/main.ts', [], 'bot ready');
  const number = newNumber();
  const [former, latter] = [nextPerson++, nextPerson++];
  await proveAtBot(former, number);
  const atShop = (await shop.call('POST', '/auth/telegram', widget(former))).body;
  const byCode = await signInByCode(navbat, bank, number);
  expect((await listOf(atShop)).status).toBe(200);
  // One person: the chat and the code that was sent to its phone.
  const { rows } = await navbat.db.query(
    'select count(distinct person_id)::int n from session where id = any($1)',
    [[atShop.session_id, byCode.session_id]],
  );
  expect(rows).toEqual([{ n: 1 }]);

  await proveAtBot(latter, number);
  for (const session of [atShop, byCode]) {
    expect(await listOf(session)).toMatchObject(problem(401, 'unauthenticated'));
    expect(await refresh(session.refresh_token)).toMatchObject(problem(401, 'session-ended'));
  }
  // Who comes with the phone now is somebody else, to every project.
  await navbat.db.query(`update destination set sent_at = '{}'`);
  expect((await signInByCode(navbat, bank, number)).sub).not.toBe(byCode.sub);
});

/** Registers at the bot with the contact of their own account. */
async function proveAtBot(telegramId: number, number: string): Promise<void> {
  const to = String(telegramId);
  const act = async (action: object) => {
    const { status } = await send(`${navbat.sandbox.url}/telegram/updates`, 'POST', {
      chat_id: telegramId,
      ...action,
    });
    expect(status).toBe(201);
  };
  await act({ text: '/start' });
  await until(async () => navbat.sandbox.inbox({ to }).length > 0);
  const code = await codeAfter(navbat, to, () =>
    act({ contact: { phone_number: number.slice(1), user_id: telegramId } }),
  );
  await act({ text: code });
  await until(async () => {
    const { rows } = await navbat.db.query('select 1 from users where telegram_id = $1 and is_verified', [
      to,
    ]);
    return rows.length > 0;
  });
}
