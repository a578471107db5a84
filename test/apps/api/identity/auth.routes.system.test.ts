import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { personAndPhone } from '../../../support/approvals.ts';
import { asPerson, type Curve } from '../../../support/devices.ts';
import type { Navbat, TestProject } from '../../../support/navbat.ts';
import { type PhoneSession, send, type TestPhone } from '../../../support/phone.ts';
import { newNumber, signInByCode } from '../../../support/platform.ts';
import {
  linesOf,
  listOf,
  problem,
  refresh,
  startWithShops,
  statusesOf,
  TOKENS,
  widgetOf,
} from '../../../support/sessions.ts';

let navbat: Navbat;
let shop: TestProject;
let bank: TestProject;
let app: TestProject;
let nextTelegramId = 3_000;

beforeAll(async () => {
  ({ navbat, shop, bank, app } = await startWithShops());
});
afterAll(() => navbat.stop());

const sub = (session: PhoneSession) => decodeJwt(session.access_token).sub;

/** As the Login widget hands it to a page. */
const widget = (telegramId: number, ageSeconds = 0, token = navbat.env['TELEGRAM_BOT_TOKEN'] ?? '') =>
  widgetOf(token, telegramId, ageSeconds);

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

describe.each(['/auth/telegram', '/api/auth/telegram'])('%s', (path) => {
  const signIn = (body: object, project = shop) => project.call('POST', path, body);
  const refused = (reason: string) => problem(422, 'telegram-proof-refused', { reason });

  test('takes what Telegram signed, of the widget and of a Mini App, for services and for apps', async () => {
    const id = nextTelegramId++;
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
    const fields = widget(nextTelegramId++);
    const at = ['/auth/telegram', '/api/auth/telegram', path, path];
    const replies = await Promise.all(at.map((door) => shop.call('POST', door, fields)));
    expect(statusesOf(replies)).toEqual([200, 422, 422, 422]);
    expect(await signIn(fields)).toMatchObject(refused('used'));
    expect(await signIn(fields, bank)).toMatchObject(refused('used'));
  });

  test('takes nothing older than five minutes', async () => {
    expect(await signIn(widget(nextTelegramId++, 302))).toMatchObject(refused('stale'));
    expect(await signIn(widget(nextTelegramId++, 295))).toMatchObject(TOKENS);
  });

  test('takes nothing of which a field was changed, added or left out, nor by another bot', async () => {
    const fields = widget(nextTelegramId++);
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
      const fields = widget(nextTelegramId++);
      const other = await navbat.createProject({ access, scopes: ['public'] });
      expect(await signIn(fields, other)).toMatchObject(refused('not-enabled'));
      expect(await signIn(fields)).toMatchObject(TOKENS);
    }
  });

  test('opens no session of Navbat’s own app: whoever was given such data could hand it on', async () => {
    const fields = widget(nextTelegramId++);
    expect(await signIn(fields, app)).toMatchObject(refused('not-for-the-app'));
    expect(await signIn(fields)).toMatchObject(TOKENS);
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
    expect((await listOf(navbat, reply.body)).body.data.map(({ id }: { id: string }) => id)).toEqual([
      reply.body.session_id,
    ]);
    expect((await listOf(navbat, live)).body.data.map(({ id }: { id: string }) => id)).toEqual([
      live.session_id,
    ]);
  });
});

const boundPhone = (curve?: Curve) => personAndPhone(navbat, app, curve);

describe('a bound device', () => {
  const STEP_MS = 5;

  function claimOf(phone: TestPhone, inMs = 0, more: { device?: string } = {}) {
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
    const listed = await listOf(navbat, reply.body);
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
    expect(await asPerson(navbat, session)('DELETE', `/me/devices/${phone.id}`)).toMatchObject({
      status: 204,
    });
    expect(await signIn(claimOf(phone, STEP_MS))).toMatchObject(REFUSED);
    expect(await listOf(navbat, reply.body)).toMatchObject(problem(401, 'unauthenticated'));
    expect(await refresh(navbat, reply.body.refresh_token)).toMatchObject(problem(401, 'session-ended'));
  });
});
