import { createHash, createHmac, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import {
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  importJWK,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAILURES_MAX } from '../../../domain/shared/failed-attempt-limiter.ts';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import {
  type Navbat,
  type Reply,
  startNavbat,
  type TestProject,
  until,
  wrongCode,
} from '../../support/navbat.ts';
import { type PhoneSession, send, testPhone } from '../../support/phone.ts';
import { codeAfter, platformApp, fromHome, signInByCode } from '../../support/platform.ts';

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
const sub = (session: PhoneSession) => decodeJwt(session.access_token).sub;

const asPerson = (token: string, method: string, path: string, body?: unknown): Promise<Reply> =>
  send(navbat.apiUrl + path, method, body, { Authorization: `Bearer ${token}` });
const listOf = ({ access_token }: Pick<PhoneSession, 'access_token'>) =>
  asPerson(access_token, 'GET', '/auth/sessions');
const refresh = (refresh_token: string) => send(`${navbat.apiUrl}/auth/refresh`, 'POST', { refresh_token });

const statusesOf = (replies: readonly Reply[]) =>
  replies.map(({ status }) => status).toSorted((a, b) => a - b);
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

/** As Telegram hands it to a Mini App. */
function initData(telegramId: number) {
  const fields = {
    auth_date: String(Math.floor(Date.now() / 1_000)),
    query_id: randomUUID(),
    user: JSON.stringify({ id: telegramId, first_name: 'Aziza' }),
  };
  const key = createHmac('sha256', 'WebAppData')
    .update(navbat.env['TELEGRAM_BOT_TOKEN'] ?? '')
    .digest();
  const hash = createHmac('sha256', key).update(linesOf(fields)).digest('hex');
  return new URLSearchParams({ ...fields, hash }).toString();
}

const linesOf = (fields: object) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
    .join('\n');

describe.each(['/auth/telegram', '/api/auth/telegram'])('%s', (path) => {
  const signIn = (body: object, project = shop) => project.call('POST', path, body);
  const refused = (reason: string) => problem(422, 'telegram-proof-refused', { reason });

  test('takes what Telegram signed, of the widget and of a Mini App, for services and for apps', async () => {
    const id = nextPerson++;
    const first = await signIn(widget(id));
    expect(first).toMatchObject(TOKENS);
    expect(first.headers.get('cache-control')).toBe('no-store');
    const again = await signIn({ init_data: initData(id) });
    expect(again).toMatchObject(TOKENS);
    expect(again.body.sub).toBe(first.body.sub);
    expect(await signIn(widget(id), bank)).toMatchObject(TOKENS);
    expect(decodeJwt(first.body.access_token)).toMatchObject({ amr: ['telegram'] });
  });

  test('takes each once, over both doors', async () => {
    const fields = widget(nextPerson++);
    const at = ['/auth/telegram', '/api/auth/telegram', path, path];
    const replies = await Promise.all(at.map((door) => shop.call('POST', door, fields)));
    expect(statusesOf(replies)).toEqual([200, 422, 422, 422]);
    expect(await signIn(fields)).toMatchObject(refused('used'));
    expect(await signIn(fields, bank)).toMatchObject(refused('used'));
  });

  test('takes nothing older than five minutes', async () => {
    expect(await signIn(widget(nextPerson++, 302))).toMatchObject(refused('stale'));
    expect(await signIn(widget(nextPerson++, 295))).toMatchObject(TOKENS);
  });

  test('takes nothing of which a field was changed, added or left out, nor by another bot', async () => {
    const fields = widget(nextPerson++);
    const { username: _left, ...fewer } = fields;
    for (const changed of [
      { ...fields, id: fields.id + 1 },
      { ...fields, first_name: 'Jasur' },
      { ...fields, auth_date: fields.auth_date + 1 },
      { ...fields, last_name: 'Karimova' },
      fewer,
      widget(fields.id, 0, '1:other'),
    ])
      expect(await signIn(changed)).toMatchObject(refused('signature'));
    expect(await signIn({ ...fields, hash: 'no' })).toMatchObject(refused('malformed'));
    // And none of that used the honest one up.
    expect(await signIn(fields)).toMatchObject(TOKENS);
  });

  test('opens no door of a project that did not say that the bot is its own: another site could hand it on', async () => {
    for (const access of ['secret', 'publishable'] as const) {
      const fields = widget(nextPerson++);
      const other = await navbat.createProject({ access, scopes: ['public'] });
      expect(await signIn(fields, other)).toMatchObject(refused('not-enabled'));
      expect(await signIn(fields)).toMatchObject(TOKENS);
    }
  });

  test('opens no session of Navbat’s own app: whoever was given such data could hand it on', async () => {
    const fields = widget(nextPerson++);
    expect(await signIn(fields, app)).toMatchObject(refused('not-for-the-app'));
    expect(await signIn(fields)).toMatchObject(TOKENS);
  });
});

describe('a code', () => {
  test('proves a phone, and signs in once', async () => {
    const number = newNumber();
    let sent: Reply | undefined;
    const code = await codeAfter(navbat, number, async () => {
      sent = await bank.call('POST', '/auth/code', { phone: number }, fromHome());
    });
    expect(sent).toMatchObject({ status: 202, body: { channels: ['sms'], resend: false } });
    expect(Object.keys(sent?.body).toSorted()).toEqual([
      'channels',
      'check_token',
      'expires_at',
      'id',
      'resend',
    ]);
    const { id, check_token } = sent?.body ?? {};
    const verify = (typed: string, project = bank) =>
      project.call('POST', '/auth/code/verify', { id, code: typed, check_token });
    expect(await verify(wrongCode(code))).toMatchObject(problem(422, 'incorrect-code', { remaining: 4 }));
    expect(await verify(code, shop)).toMatchObject(problem(404, 'not-found'));
    const replies = await Promise.all(Array.from({ length: 4 }, () => verify(code)));
    expect(statusesOf(replies)).toEqual([200, 410, 410, 410]);
    const right = replies.find(({ status }) => status === 200);
    expect(right).toMatchObject(TOKENS);
    expect(right?.headers.get('cache-control')).toBe('no-store');
  });

  test('never goes where the project said: not by push, and to no chat', async () => {
    const project = await navbat.createProject({ settings: { channels: ['push', 'telegram', 'sms'] } });
    const number = newNumber();
    const chat = nextPerson++;
    await project.call('PUT', '/recipients', {
      phone: number,
      telegram_chat_id: chat,
      push_token: 'a'.repeat(60),
    });
    expect((await project.call('POST', '/auth/code', { phone: number })).body.channels).toEqual(['sms']);
    await navbat.sandbox.waitForMessage({ to: number });
    expect(navbat.sandbox.inbox({ to: String(chat) })).toEqual([]);
  });

  test('that a project sent to a chat of its own choice proves no phone, also when it was sent to the phone too', async () => {
    const number = newNumber();
    const chat = String(nextPerson++);
    await shop.call('PUT', '/recipients', { phone: number, telegram_chat_id: Number(chat) });
    const sent = await shop.call('POST', '/auth/code', { phone: number });
    await navbat.sandbox.waitForMessage({ to: number });
    await navbat.db.query(`update verification set sent_at = sent_at - interval '1 hour' where id = $1`, [
      sent.body.id,
    ]);
    const code = await codeAfter(navbat, chat, () =>
      shop.call('POST', `/otp/${sent.body.id}/resend`, { channels: ['telegram'] }),
    );
    await navbat.db.query(`update verification set sent_at = sent_at - interval '1 hour' where id = $1`, [
      sent.body.id,
    ]);
    // As it would look if the last message alone were asked.
    await codeAfter(navbat, number, () =>
      shop.call('POST', `/otp/${sent.body.id}/resend`, { channels: ['sms'] }),
    );
    const { rows } = await navbat.db.query('select channels from verification where id = $1', [sent.body.id]);
    expect(rows).toEqual([{ channels: ['sms'] }]);
    expect(await shop.call('POST', '/auth/code/verify', { id: sent.body.id, code })).toMatchObject(
      problem(422, 'phone-not-proven'),
    );
  });

  test('of a device proves no phone: not its person’s, and not one that their project says is theirs', async () => {
    const { number, phone } = await boundPhone();
    const claimed = newNumber();
    const { sub: recipient } = await signInByCode(navbat, shop, number);
    const typed = async (to: string) => {
      const sent = await shop.call('POST', '/otp/send', {
        to,
        channels: ['totp'],
        purpose: 'navbat.sign-in',
      });
      await navbat.db.query('update device set totp_last_step = null where id = $1', [phone.id]);
      return shop.call('POST', '/auth/code/verify', { id: sent.body.id, code: await phone.totp() });
    };
    expect((await typed(number)).status).toBe(422);
    await navbat.db.query('update recipient set handle = $1 where id = $1::uuid', [recipient]);
    const changed = await shop.call('PUT', '/recipients', { handle: recipient, phone: claimed });
    expect(changed).toMatchObject({ status: 200, body: { id: recipient, phone: claimed } });
    expect((await typed(claimed)).status).toBe(422);
    const { rowCount } = await navbat.db.query('select from person_phone where phone = $1', [claimed]);
    expect(rowCount).toBe(0);
  });

  test('of another purpose opens no session', async () => {
    const number = newNumber();
    let id = '';
    const code = await codeAfter(navbat, number, async () => {
      id = (await shop.call('POST', '/otp/send', { to: number, channels: ['sms'], purpose: 'login' })).body
        .id;
    });
    expect(await shop.call('POST', '/auth/code/verify', { id, code })).toMatchObject(
      problem(404, 'not-found'),
    );
  });
});

describe('one person', () => {
  test('is known to each project by another sub, which stays, and to which it may send', async () => {
    const number = newNumber();
    const [atShop, atBank] = [
      await signInByCode(navbat, shop, number),
      await signInByCode(navbat, bank, number),
    ];
    expect(sub(atShop)).toBe(atShop.sub);
    expect(sub(atShop)).not.toBe(sub(atBank));
    await navbat.db.query(`update destination set sent_at = '{}'`);
    expect((await signInByCode(navbat, shop, number)).sub).toBe(atShop.sub);
    expect(
      await shop.call('POST', '/otp/send', { to: atShop.sub, channels: ['sms'], purpose: 'check' }),
    ).toMatchObject({ status: 202 });
    expect(await shop.call('POST', '/otp/send', { to: atBank.sub })).toMatchObject({ status: 404 });
    const { rows } = await navbat.db.query(
      'select count(distinct person_id)::int n from session where id = any($1)',
      [[atShop.session_id, atBank.session_id]],
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  test('of a test key is another, whose tokens are for nobody else', async () => {
    const testKey = await navbat.createProject({ mode: 'test' });
    await navbat.db.query('update api_key set project_id = $1 where project_id = $2', [shop.id, testKey.id]);
    const number = newNumber();
    const live = await signInByCode(navbat, shop, number);
    const { id } = (await testKey.call('POST', '/auth/code', { phone: number })).body;
    const { code } = (await testKey.call('GET', `/otp/${id}`)).body;
    const reply = await testKey.call('POST', '/auth/code/verify', { id, code });
    expect(reply).toMatchObject(TOKENS);
    expect(reply.body.sub).not.toBe(live.sub);
    expect(decodeJwt(reply.body.access_token).aud).toBe(`test:${shop.id}`);
    expect((await listOf(reply.body)).body.data.map(({ id }: { id: string }) => id)).toEqual([
      reply.body.session_id,
    ]);
    expect((await listOf(live)).body.data.map(({ id }: { id: string }) => id)).toEqual([live.session_id]);
  });
});

describe('an access token', () => {
  let session: PhoneSession;
  let key: Key;
  beforeAll(async () => {
    session = await signInByCode(navbat, shop, newNumber());
    key = JSON.parse(navbat.env['JWT_PRIVATE_JWK'] ?? '') as Key;
  });

  const keysOf = () => createRemoteJWKSet(new URL(`${navbat.apiUrl}/.well-known/jwks.json`));
  const check = (token: string, audience = shop.id) =>
    jwtVerify(token, keysOf(), { issuer: 'navbat', audience, algorithms: ['EdDSA', 'HS256'] });
  const claims = () => decodeJwt(session.access_token);
  const signed = async (payload: object, by: Key, header: object = {}) =>
    new SignJWT({ ...payload })
      .setProtectedHeader({ alg: 'EdDSA', kid: by.kid, typ: 'JWT', ...header })
      .sign(await importJWK(by as JWK, 'EdDSA'));
  const isRefused = async (token: string) =>
    expect(await listOf({ access_token: token })).toMatchObject(problem(401, 'unauthenticated'));

  test('is checked with our public keys by whoever has them', async () => {
    const { payload, protectedHeader } = await check(session.access_token);
    expect(protectedHeader).toEqual({ alg: 'EdDSA', kid: 'j1', typ: 'JWT' });
    expect(payload).toMatchObject({
      iss: 'navbat',
      aud: shop.id,
      sub: session.sub,
      sid: session.session_id,
      amr: ['otp'],
    });
    expect(payload.exp).toBe((payload.iat ?? 0) + 600);
    expect(Number(payload['auth_time'])).toBeLessThanOrEqual(payload.iat ?? 0);
    expect(await listOf(session)).toMatchObject({ status: 200 });
  });

  test('is checked with keys that anybody may fetch and keep, and that hold no secret', async () => {
    const reply = await send(`${navbat.apiUrl}/.well-known/jwks.json`, 'GET');
    expect(reply.headers.get('cache-control')).toBe('public, max-age=300');
    expect(reply.body.keys.map(({ kid }: JWK) => kid)).toEqual(['j1', 'j0']);
    expect(JSON.stringify(reply.body)).not.toMatch(/"d":/);
  });

  test('is for its own project', async () => {
    await expect(check(session.access_token, bank.id)).rejects.toThrow('aud');
    await isRefused(await signed({ ...claims(), aud: bank.id }, key));
    await isRefused(await signed({ ...claims(), aud: PLATFORM_PROJECT_ID }, key));
    // The same claims, made by the same hand, are the token.
    expect(await listOf({ access_token: await signed(claims(), key) })).toMatchObject({ status: 200 });
    await isRefused(await signed({ ...claims(), sub: randomUUID() }, key));
    await isRefused(await signed({ ...claims(), iss: 'another' }, key));
  });

  test('is nothing without a signature, whatever its head says', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [, body] = session.access_token.split('.');
    for (const alg of ['none', 'None', 'NONE', '']) {
      for (const signature of ['', session.access_token.split('.')[2]]) {
        const token = `${part({ alg, kid: 'j1', typ: 'JWT' })}.${body}.${signature}`;
        await expect(check(token)).rejects.toThrow(/alg/i);
        await isRefused(token);
      }
    }
  });

  test('is not signed with the public key as a shared secret', async () => {
    const { body } = await send(`${navbat.apiUrl}/.well-known/jwks.json`, 'GET');
    const secrets = [Buffer.from(body.keys[0].x, 'base64url'), Buffer.from(JSON.stringify(body.keys[0]))];
    for (const secret of secrets) {
      const token = await new SignJWT(claims())
        .setProtectedHeader({ alg: 'HS256', kid: 'j1', typ: 'JWT' })
        .sign(secret);
      await expect(check(token)).rejects.toThrow(/key|alg/i);
      await isRefused(token);
    }
  });

  test('names the key that signed it', async () => {
    for (const header of [{ kid: 'j9' }, { kid: 'j0' }, { kid: undefined }, { kid: '' }]) {
      const token = await signed(claims(), key, header);
      await expect(check(token)).rejects.toThrow(/no applicable key|multiple matching keys|signature/);
      await isRefused(token);
    }
    const stranger = newKey('j1');
    await expect(check(await signed(claims(), stranger))).rejects.toThrow('signature');
    await isRefused(await signed(claims(), stranger));
  });

  test('by the key of before is good until it expires', async () => {
    const token = await signed(claims(), previous);
    expect(decodeProtectedHeader(token).kid).toBe('j0');
    expect((await check(token)).payload['sid']).toBe(session.session_id);
    expect(await listOf({ access_token: token })).toMatchObject({ status: 200 });
    await isRefused(await signed({ ...claims(), exp: Math.floor(Date.now() / 1_000) - 1 }, previous));
  });

  test('is good until it expires, and no second longer', async () => {
    const seconds = Math.floor(Date.now() / 1_000);
    const past = await signed({ ...claims(), exp: seconds - 1 }, key);
    await expect(check(past)).rejects.toThrow('exp');
    await isRefused(past);
    const { exp: _never, ...endless } = claims();
    await isRefused(await signed(endless, key));
    expect(
      await listOf({ access_token: await signed({ ...claims(), exp: seconds + 60 }, key) }),
    ).toMatchObject({
      status: 200,
    });
  });

  test('of the phone API opens nothing of a person', async () => {
    const number = newNumber();
    const otp = await codeAfter(navbat, number, () => shop.call('POST', '/api/send-otp/', { phone: number }));
    const { body } = await shop.call('POST', '/api/verify-otp/', { phone: number, otp });
    expect((await check(body.token)).payload.aud).toBe(shop.id);
    await isRefused(body.token);
  });
});

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

async function boundPhone(curve: 'Ed25519' | 'P-256' = 'Ed25519') {
  const number = newNumber();
  const session = await signInByCode(navbat, app, number);
  const enrolment = await asPerson(session.access_token, 'POST', '/me/enrolments', {});
  const phone = testPhone(navbat.apiUrl, curve);
  expect(await phone.claim({ png: enrolment.body.qr.png })).toMatchObject({ status: 201 });
  expect(await phone.confirm()).toMatchObject({ status: 200 });
  return { number, phone, session };
}
type Phone = Awaited<ReturnType<typeof boundPhone>>['phone'];

describe('an approval on a device', () => {
  const ask = (to: string, project: TestProject, more: object = {}, from = fromHome()) =>
    project.call('POST', '/auth/approval', { to, ...more }, from);
  const poll = ({ body }: Reply, project: TestProject, more: object = {}) =>
    project.call('POST', '/auth/approval/token', { id: body.id, poll_token: body.poll_token, ...more });

  /** The person looks at what waits for them, and answers the newest. */
  /** Of several that wait, the one of `verificationId`: which the worker made last is a matter of chance. */
  async function answer(
    phone: Phone,
    decision: 'approve' | 'deny',
    number: string | null,
    verificationId?: string,
  ) {
    const waiting = await until(async () => {
      const { body } = await phone.call('GET', '/me/challenges');
      const { rows } = await navbat.db.query('select id from challenge where verification_id = $1', [
        verificationId,
      ]);
      return body.data.find(
        ({ id, state }: { id: string; state: string }) =>
          state === 'pending' && (verificationId === undefined || id === rows[0]?.id),
      );
    });
    const challenge = (await phone.call('GET', `/me/challenges/${waiting.id}`)).body;
    const { id, project, purpose, context, expires_at } = challenge;
    const statement = { challenge: id, project, purpose, context, decision, number, expires_at };
    const reply = await phone.call('POST', `/me/challenges/${id}/answer`, {
      decision,
      ...(number === null ? {} : { number }),
      signature: phone.sign('navbat-approval-v1', statement),
    });
    return { challenge, reply };
  }
  const ASKED = {
    status: 202,
    body: { number: expect.stringMatching(/^\d\d$/), poll_token: expect.stringMatching(/^[\w-]{64}$/) },
  };
  const PENDING = { status: 202, body: { status: 'pending' } };

  test('signs in whoever types the number, once', async () => {
    const { number, phone } = await boundPhone();
    const asked = await ask(number, bank, {}, { 'X-Forwarded-For': '198.51.100.8' });
    expect(asked).toMatchObject(ASKED);
    expect(Object.keys(asked.body).toSorted()).toEqual(['expires_at', 'id', 'number', 'poll_token']);
    expect(await poll(asked, bank)).toMatchObject(PENDING);
    const { challenge, reply } = await answer(phone, 'approve', asked.body.number);
    expect(reply).toMatchObject({ status: 200 });
    // They saw who asks, what for, and from where.
    expect(challenge).toMatchObject({
      project: { id: bank.id },
      purpose: 'navbat.approval',
      context: { client: { ip: '198.51.100.8', user_agent: 'node' } },
    });
    const replies = await Promise.all(Array.from({ length: 10 }, () => poll(asked, bank)));
    for (const each of replies) expect(each).toMatchObject(TOKENS);
    const [first] = replies;
    expect(new Set(replies.map(({ body }) => body.refresh_token)).size).toBe(1);
    expect(decodeJwt(first?.body.access_token)).toMatchObject({ aud: bank.id, amr: ['swk', 'user'] });
    await refresh(first?.body.refresh_token);
    expect(await poll(asked, bank)).toMatchObject(problem(410, 'approval-closed'));
    // The sub of a first sign-in serves for the next.
    await navbat.db.query(`update destination set sent_at = '{}'`);
    expect(await ask(first?.body.sub, bank)).toMatchObject(ASKED);
    expect(await ask(first?.body.sub, shop)).toMatchObject(problem(404, 'unknown-recipient'));
  });

  test('says nothing of who is there: nobody, a person without a device, and one who has not answered are alike', async () => {
    const { number } = await boundPhone();
    const withoutDevice = newNumber();
    await signInByCode(navbat, bank, withoutDevice);
    const replies = await Promise.all([number, withoutDevice, newNumber()].map((to) => ask(to, shop)));
    for (const asked of replies) {
      expect(asked).toMatchObject(ASKED);
      expect(await poll(asked, shop)).toMatchObject(PENDING);
    }
    expect(new Set(replies.map(({ body }) => Object.keys(body).toSorted().join())).size).toBe(1);
  });

  test('is fetched by whoever asked for it, and by nobody else', async () => {
    const { number, phone } = await boundPhone();
    const asked = await ask(number, shop);
    expect((await answer(phone, 'approve', asked.body.number)).reply).toMatchObject({ status: 200 });
    const unknown = problem(404, 'not-found');
    expect(await poll(asked, bank)).toMatchObject(unknown);
    const other = await ask(newNumber(), shop);
    expect(await poll(asked, shop, { poll_token: other.body.poll_token })).toMatchObject(unknown);
    expect(await poll(asked, shop, { poll_token: '' })).toMatchObject(unknown);
    expect(await poll(asked, shop, { id: randomUUID() })).toMatchObject(unknown);
    expect(await poll(asked, shop)).toMatchObject(TOKENS);
  });

  test('is not fetched by who asked for the same person before or after', async () => {
    const { number, phone } = await boundPhone();
    const before = await ask(number, bank);
    const asked = await ask(number, bank);
    const after = await ask(number, bank);
    expect(new Set([before, asked, after].map(({ body }) => body.id)).size).toBe(3);
    // Whoever asked last has ended none of the others.
    for (const one of [before, asked, after]) expect(await poll(one, bank)).toMatchObject(PENDING);
    await until(async () => (await phone.call('GET', '/me/challenges')).body.data.length === 3);
    expect((await answer(phone, 'approve', after.body.number, after.body.id)).reply).toMatchObject({
      status: 200,
    });
    expect(await poll(before, bank)).toMatchObject(PENDING);
    expect(await poll(asked, bank)).toMatchObject(PENDING);
    // Neither serves with the other's id, nor for another verification.
    expect(await poll(after, bank, { id: asked.body.id })).toMatchObject(problem(404, 'not-found'));
  });

  test('is shown with the address that an app calls from, whatever it says', async () => {
    const { number, phone } = await boundPhone();
    const said = { client: { ip: '203.0.113.99', user_agent: 'the browser of somebody else' } };
    const from = { 'X-Forwarded-For': '198.51.100.7' };
    await ask(number, bank, said, from);
    const ofAnApp = await answer(phone, 'deny', null);
    expect(ofAnApp.challenge.context.client).toEqual({ ip: '198.51.100.7', user_agent: 'node' });
    await ask(number, shop, said);
    expect((await answer(phone, 'deny', null)).challenge.context.client).toEqual(said.client);
  });

  test('that was denied signs nobody in, and says so to a project that knows them', async () => {
    const stranger = await boundPhone();
    const unknown = await ask(stranger.number, shop);
    expect((await answer(stranger.phone, 'deny', null)).reply).toMatchObject({ status: 200 });
    expect(await poll(unknown, shop)).toMatchObject(PENDING);
    const { number, phone } = await boundPhone();
    await signInByCode(navbat, shop, number);
    const known = await ask(number, shop);
    expect((await answer(phone, 'deny', null)).reply).toMatchObject({ status: 200 });
    expect(await poll(known, shop)).toMatchObject(problem(403, 'approval-denied'));
    // Of the very same answer, a key that anybody may have learns nothing.
    const app = await navbat.createProject({ access: 'publishable', scopes: ['public'] });
    await navbat.db.query('update api_key set project_id = $1 where project_id = $2', [shop.id, app.id]);
    expect(await poll(known, app)).toMatchObject(PENDING);
    await navbat.db.query('update verification set expires_at = now() where id = $1', [known.body.id]);
    expect(await poll(known, app)).toMatchObject(problem(410, 'approval-closed'));
  });

  test('that was denied is, to an app, as one that nobody answered: now, asked again, and when it is over', async () => {
    const { number, phone } = await boundPhone();
    await signInByCode(navbat, bank, number);
    const stranger = newNumber();
    const [denied, silent] = [await ask(number, bank), await ask(stranger, bank)];
    const { challenge, reply } = await answer(phone, 'deny', null);
    expect(reply).toMatchObject({ status: 200 });
    const { rows } = await navbat.db.query('select state from challenge where id = $1', [challenge.id]);
    expect(rows).toEqual([{ state: 'denied' }]);
    const sees = async (asked: Reply, to: string) => {
      const seen = [await poll(asked, bank), await ask(to, bank)];
      await navbat.db.query('update verification set expires_at = now() where id = $1', [asked.body.id]);
      return [...seen, await poll(asked, bank)].map(({ status, body }) => [status, body.type ?? body.status]);
    };
    const nobody = await sees(silent, stranger);
    expect(nobody).toEqual([
      [202, 'pending'],
      // Another asker's: whatever was asked before, it says the same.
      [202, undefined],
      [410, 'urn:navbat:problem:approval-closed'],
    ]);
    expect(await sees(denied, number)).toEqual(nobody);
  });

  test('with a wrong number signs nobody in', async () => {
    const { number, phone } = await boundPhone();
    const asked = await ask(number, shop);
    await answer(phone, 'approve', wrongCode(asked.body.number));
    expect(await poll(asked, shop)).toMatchObject(PENDING);
  });

  test('is fetched within five minutes, and asked for while it lives', async () => {
    const { number, phone } = await boundPhone();
    const [asked, silent] = [await ask(number, shop), await ask(newNumber(), shop)];
    expect((await answer(phone, 'approve', asked.body.number)).reply).toMatchObject({ status: 200 });
    await navbat.db.query(`update verification set closed_at = closed_at - interval '300 s' where id = $1`, [
      asked.body.id,
    ]);
    expect(await poll(asked, shop)).toMatchObject(problem(410, 'approval-closed'));
    await navbat.db.query(`update verification set expires_at = now() where id = $1`, [silent.body.id]);
    expect(await poll(silent, shop)).toMatchObject(problem(410, 'approval-closed'));
  });

  /** Approves by a code that the project sends to the phone instead. */
  async function approveByCode(asked: Reply, number: string) {
    const { id } = asked.body;
    await navbat.db.query(`update verification set sent_at = sent_at - interval '1 hour' where id = $1`, [
      id,
    ]);
    const code = await codeAfter(navbat, number, () =>
      shop.call('POST', `/otp/${id}/resend`, { channels: ['sms'] }),
    );
    expect(await shop.call('POST', '/otp/verify', { id, code })).toMatchObject({ status: 200 });
  }

  test('is not a code that was right on another channel, also after a number that was wrong', async () => {
    const { number, phone } = await boundPhone();
    for (const to of [newNumber(), number]) {
      const asked = await ask(to, shop);
      if (to === number) await answer(phone, 'approve', wrongCode(asked.body.number));
      await approveByCode(asked, to);
      expect(await poll(asked, shop)).toMatchObject(problem(410, 'approval-closed'));
    }
  });

  test('is not for test keys, whose people have no devices', async () => {
    const testKey = await navbat.createProject({ mode: 'test' });
    expect(await ask(newNumber(), testKey)).toMatchObject(problem(403, 'live-key-required'));
  });
});

describe('a bound device', () => {
  const STEP_MS = 5;

  function claimOf(phone: Phone, inMs = 0, more: { device?: string } = {}) {
    const statement = {
      device: more.device ?? phone.id,
      at: new Date(Date.now() + inMs).toISOString(),
      nonce: randomBytes(16).toString('base64url'),
    };
    const { device: device_id, ...said } = statement;
    return { device_id, ...said, signature: phone.sign('navbat-sign-in-v1', statement) };
  }
  const signIn = (claim: object) => send(`${navbat.apiUrl}/auth/device`, 'POST', claim);
  const REFUSED = problem(401, 'device-not-proven');

  test.each(['Ed25519', 'P-256'] as const)('signs in to Navbat’s app with its key of %s', async (curve) => {
    const { phone, session } = await boundPhone(curve);
    const reply = await signIn(claimOf(phone));
    expect(reply).toMatchObject(TOKENS);
    expect(reply.body.sub).toBe(session.sub);
    const listed = await listOf(reply.body);
    expect(listed.body.data[0]).toMatchObject({ method: 'device', device: { id: phone.id }, current: true });
    expect(decodeJwt(reply.body.access_token)).toMatchObject({ aud: PLATFORM_PROJECT_ID, amr: ['swk'] });
  });

  test('says it once: the same again, and whatever is older, is refused', async () => {
    const { phone } = await boundPhone();
    const older = claimOf(phone, -1_000);
    const claim = claimOf(phone);
    const replies = await Promise.all(Array.from({ length: 10 }, () => signIn(claim)));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await signIn(claim)).toMatchObject(REFUSED);
    expect(await signIn(older)).toMatchObject(REFUSED);
    expect(await signIn(claimOf(phone, STEP_MS))).toMatchObject(TOKENS);
  });

  test('is believed within a minute of our clock, on both sides', async () => {
    const { phone } = await boundPhone();
    expect(await signIn(claimOf(phone, -62_000))).toMatchObject(REFUSED);
    expect(await signIn(claimOf(phone, 62_000))).toMatchObject(REFUSED);
    expect(await signIn(claimOf(phone, -58_000))).toMatchObject(TOKENS);
    expect(await signIn(claimOf(phone, 58_000))).toMatchObject(TOKENS);
  });

  test('is nobody that it is not: another key, another device, a changed word, another sort of statement', async () => {
    const { phone } = await boundPhone();
    const { phone: other } = await boundPhone();
    const claim = claimOf(phone);
    const { device_id: device, at, nonce } = claim;
    for (const forged of [
      { ...claim, signature: other.sign('navbat-sign-in-v1', { device, at, nonce }) },
      { ...claim, signature: phone.sign('navbat-device-v1', { device, at, nonce }) },
      { ...claim, device_id: other.id },
      { ...claim, nonce: `${nonce}A` },
      { ...claim, at: new Date(Date.parse(at) + 1).toISOString() },
      claimOf(phone, 0, { device: randomUUID() }),
    ])
      expect(await signIn(forged)).toMatchObject(REFUSED);
    expect(await signIn(claim)).toMatchObject(TOKENS);
  });

  test('that was revoked opens nothing, and its sessions have ended', async () => {
    const { phone, session } = await boundPhone();
    const reply = await signIn(claimOf(phone));
    expect(await asPerson(session.access_token, 'DELETE', `/me/devices/${phone.id}`)).toMatchObject({
      status: 204,
    });
    expect(await signIn(claimOf(phone, STEP_MS))).toMatchObject(REFUSED);
    expect(await listOf(reply.body)).toMatchObject(problem(401, 'unauthenticated'));
    expect(await refresh(reply.body.refresh_token)).toMatchObject(problem(401, 'session-ended'));
  });
});

// Last, as it uses up what this address may guess.
test('who guesses at codes with an app’s key is counted by where they call from, whatever they say', async () => {
  const guess = (n: number) =>
    bank.call('POST', '/auth/code/verify', {
      id: randomUUID(),
      check_token: 'of-nothing',
      code: '123456',
      client: { ip: `198.51.100.${n}` },
    });
  await Promise.all(Array.from({ length: FAILURES_MAX.client }, (_, n) => guess(n)));
  expect(await guess(250)).toMatchObject(problem(429, 'too-many-failures'));

  // Whoever has one address of IPv6 has 2^64 of them.
  const nextDoor = (n: number) =>
    shop.call('POST', '/auth/code/verify', {
      id: randomUUID(),
      code: '123456',
      client: { ip: `2001:db8:0:1::${n.toString(16)}` },
    });
  await Promise.all(Array.from({ length: FAILURES_MAX.client }, (_, n) => nextDoor(n)));
  expect(await nextDoor(250)).toMatchObject(problem(429, 'too-many-failures'));
});
