import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recipientRoutes } from '../../../../apps/api/identity/recipients.routes.ts';
import { readConfig } from '../../../../infra/process/config.ts';
import { rowEncryption } from '../../../../infra/process/crypto.ts';
import { recipientStore } from '../../../../infra/postgres/identity/recipient/recipients.ts';
import { type Ground, makeProject, openApi, openGround, type TestApi } from '../../../support/api.ts';
import { testEnvironment } from '../../../support/environment.ts';
import { Locale } from '../../../../domain/shared/locale.ts';

let ground: Ground;
let api: TestApi;
const encryption = rowEncryption(readConfig(testEnvironment()).ENCRYPTION_KEYS);

beforeAll(async () => {
  ground = await openGround();
  api = openApi(
    ground,
    recipientRoutes(recipientStore(ground.orm.em, { keyedHash: ground.hash, encryption })),
  );
});
afterAll(async () => {
  await api.close();
  await ground.close();
});

const put = (key: string, body: object) =>
  request(api.app).put('/recipients').set('X-Api-Key', key).send(body);
const get = (key: string, path: string) => request(api.app).get(path).set('X-Api-Key', key);

test('a recipient is made once and then changed, found by handle or by phone', async () => {
  const { key } = await makeProject(ground, 'put');
  const made = await put(key, { handle: 'u1', phone: '+998 90 123-45-67', locale: 'ru' }).expect(201);
  expect(made.body).toMatchObject({
    handle: 'u1',
    phone: '+998901234567',
    locale: 'ru',
    has_push_token: false,
  });
  const byPhone = await put(key, { phone: '+998901234567', telegram_chat_id: 77 }).expect(200);
  expect(byPhone.body).toMatchObject({ id: made.body.id, handle: 'u1', telegram_chat_id: 77 });
  const byHandle = await put(key, { handle: 'u1', phone: '+998901234568', locale: null }).expect(200);
  expect(byHandle.body).toMatchObject({
    id: made.body.id,
    phone: '+998901234568',
    locale: null,
    telegram_chat_id: 77,
  });
});

test.each(Locale.options)('one may be written to in %s', async (locale) => {
  const { key } = await makeProject(ground, `locale-${locale.toLowerCase()}`);
  const { body } = await put(key, { handle: 'u1', locale }).expect(201);
  expect(body.locale).toBe(locale);
});

test('made by twenty at once it is one recipient', async () => {
  const { key } = await makeProject(ground, 'race');
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => put(key, { handle: 'same', phone: '+998901112233' })),
  );
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
});

test('a handle of one and a phone of another is a conflict', async () => {
  const { key } = await makeProject(ground, 'conflict');
  await put(key, { handle: 'a', phone: '+998901110001' }).expect(201);
  await put(key, { handle: 'b' }).expect(201);
  await put(key, { handle: 'b', phone: '+998901110001' }).expect(409);
});

test('without handle and phone, or with a number that no one can have, it is refused', async () => {
  const { key } = await makeProject(ground, 'refused');
  await put(key, { telegram_chat_id: 1 }).expect(400);
  expect((await put(key, { phone: '+99890' }).expect(400)).body.errors[0].pointer).toBe('/phone');
});

describe('a push token', () => {
  test('is encrypted, bound to its row, and never returned', async () => {
    const { key } = await makeProject(ground, 'token');
    const token = 'fcm-registration-token-4711';
    const { body } = await put(key, { handle: 'p', push_token: token }).expect(201);
    expect(body.has_push_token).toBe(true);
    expect(JSON.stringify(body)).not.toContain(token);
    const { rows } = await ground.pool.query('select push_token_encrypted from recipient where id = $1', [
      body.id,
    ]);
    expect(rows[0].push_token_encrypted.includes(Buffer.from(token))).toBe(false);
    expect(encryption.decrypt(rows[0].push_token_encrypted, body.id)).toBe(token);
    expect(() =>
      encryption.decrypt(rows[0].push_token_encrypted, '00000000-0000-7000-8000-000000000000'),
    ).toThrow(/auth/);
    expect((await put(key, { handle: 'p', push_token: null }).expect(200)).body.has_push_token).toBe(false);
  });
});

test('a new chat clears the block of the old one; the same chat does not', async () => {
  const { key } = await makeProject(ground, 'chat');
  const { body } = await put(key, { handle: 'c', telegram_chat_id: 1 }).expect(201);
  await ground.pool.query('update recipient set telegram_blocked_at = now() where id = $1', [body.id]);
  expect((await put(key, { handle: 'c', telegram_chat_id: 1 })).body.telegram_blocked_at).not.toBeNull();
  expect((await put(key, { handle: 'c', telegram_chat_id: 2 })).body.telegram_blocked_at).toBeNull();
});

describe('the list', () => {
  test('goes through every recipient once, newest first, and filters by handle and phone', async () => {
    const { key } = await makeProject(ground, 'list');
    for (let n = 0; n < 5; n++) await put(key, { handle: `h${n}`, phone: `+99890555000${n}` }).expect(201);
    const seen: string[] = [];
    let cursor = '';
    for (let pages = 0; pages < 5; pages++) {
      const { body } = await get(key, `/recipients?limit=2${cursor && `&cursor=${cursor}`}`).expect(200);
      seen.push(...body.data.map(({ handle }: { handle: string }) => handle));
      cursor = body.next_cursor;
      if (cursor === null) break;
    }
    expect(seen).toEqual(['h4', 'h3', 'h2', 'h1', 'h0']);
    expect((await get(key, '/recipients?handle=h3').expect(200)).body.data).toHaveLength(1);
    expect((await get(key, '/recipients?phone=+998905550002').expect(200)).body.data[0].handle).toBe('h2');
    await get(key, '/recipients?cursor=nonsense').expect(400);
    await get(key, '/recipients?limit=101').expect(400);
  });

  test("shows nothing of another project, and its recipients can't be read or erased", async () => {
    const { key } = await makeProject(ground, 'here');
    const { key: elsewhere } = await makeProject(ground, 'there');
    const { body } = await put(elsewhere, { phone: '+998907770000' }).expect(201);
    expect((await get(key, '/recipients').expect(200)).body.data).toEqual([]);
    await get(key, `/recipients/${body.id}`).expect(404);
    await request(api.app).delete(`/recipients/${body.id}`).set('X-Api-Key', key).expect(404);
    await get(elsewhere, `/recipients/${body.id}`).expect(200);
    await put(key, { phone: '+998907770000' }).expect(201);
  });
});
