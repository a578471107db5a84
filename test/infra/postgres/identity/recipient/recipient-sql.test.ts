import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recipientRoutes } from '../../../../../apps/api/identity/recipients.routes.ts';
import { readConfig } from '../../../../../infra/process/config.ts';
import { rowEncryption } from '../../../../../infra/process/crypto.ts';
import { recipientStore } from '../../../../../infra/postgres/identity/recipient/recipients.ts';
import { type Ground, makeProject, openApi, openGround, type TestApi } from '../../../../support/api.ts';
import { testEnvironment } from '../../../../support/environment.ts';

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

describe('what one handle has never passes to another', () => {
  const P = '+998901110001';
  const alice = { handle: 'alice', phone: P, telegram_chat_id: 4711, push_token: 'token-of-alice' };

  test('a recycled number is refused, and says who has it and how to take it away', async () => {
    const { key } = await makeProject(ground, 'recycled');
    const { body: hers } = await put(key, alice).expect(201);
    const { body } = await put(key, { handle: 'bob', phone: P }).expect(409);
    expect(body).toMatchObject({ recipient_id: hers.id, handle: 'alice', errors: [{ pointer: '/phone' }] });
    expect(body.type).toMatch(/recipient-conflict$/);
    expect(body.detail).toContain('{"handle":"alice","phone":null}');
    const { body: after } = await get(key, `/recipients/${hers.id}`).expect(200);
    expect(after).toEqual(hers);
    expect((await get(key, '/recipients?handle=bob').expect(200)).body.data).toEqual([]);
  });

  test('a number that was taken away comes without chat and push token', async () => {
    const { key } = await makeProject(ground, 'moved');
    const { body: hers } = await put(key, alice).expect(201);
    await put(key, { handle: 'alice', phone: null }).expect(200);
    const { body: his } = await put(key, { handle: 'bob', phone: P }).expect(201);
    expect(his.id).not.toBe(hers.id);
    expect(his).toMatchObject({ telegram_chat_id: null, has_push_token: false });
    expect((await get(key, `/recipients/${hers.id}`)).body).toMatchObject({
      handle: 'alice',
      phone: null,
      telegram_chat_id: 4711,
      has_push_token: true,
    });
  });

  test('a handle that is taken away takes chat and push token with it', async () => {
    const { key } = await makeProject(ground, 'nameless');
    const { body: hers } = await put(key, alice).expect(201);
    const { body: nameless } = await put(key, { handle: null, phone: P }).expect(200);
    expect(nameless).toMatchObject({ id: hers.id, telegram_chat_id: null, has_push_token: false });
    const { body: his } = await put(key, { handle: 'bob', phone: P }).expect(200);
    expect(his).toMatchObject({ telegram_chat_id: null, has_push_token: false });
  });

  test('a chat that Telegram cannot have is refused at its field, and the last ones that it can have are not', async () => {
    const { key } = await makeProject(ground, 'no-such-chat');
    for (const telegram_chat_id of [0, 2 ** 52, -(2 ** 52), 1e300, 1.5, '77']) {
      const { body } = await put(key, { handle: 'alice', telegram_chat_id }).expect(400);
      expect(body.errors).toEqual([
        { pointer: '/telegram_chat_id', detail: expect.stringContaining('above 0 for a person') },
      ]);
    }
    await put(key, { handle: 'alice', telegram_chat_id: 2 ** 52 - 1 }).expect(201);
    await put(key, { handle: 'bob', telegram_chat_id: -(2 ** 52 - 1) }).expect(201);
  });

  test.each([
    ['telegram_chat_id', { telegram_chat_id: 4711 }],
    ['push_token', { push_token: 'token-of-alice' }],
  ])('%s of one handle is refused for another, also behind a phone alone', async (field, claim) => {
    const { key } = await makeProject(ground, `claim-${field.replaceAll('_', '-')}`);
    await put(key, alice).expect(201);
    for (const who of [
      { handle: 'bob' },
      { phone: '+998901110002' },
      { handle: 'carol', phone: '+998901110003' },
    ]) {
      const { body } = await put(key, { ...who, ...claim }).expect(409);
      expect(body).toMatchObject({ handle: 'alice', errors: [{ pointer: `/${field}` }] });
    }
    expect((await get(key, '/recipients')).body.data).toHaveLength(1);
    await put(key, { handle: 'alice', [field]: null }).expect(200);
    await put(key, { handle: 'bob', ...claim }).expect(201);
    await put(key, alice).expect(409);
  });

  test('a recipient known by its phone takes a name, and not with a chat that another name has', async () => {
    const { key } = await makeProject(ground, 'named');
    await put(key, { phone: P, telegram_chat_id: 4711 }).expect(201);
    await put(key, { handle: 'alice', telegram_chat_id: 4711 }).expect(201);
    await put(key, { handle: 'bob', phone: P }).expect(409);
    await put(key, { handle: 'bob', phone: P, telegram_chat_id: null }).expect(200);
  });

  test.each([
    ['phone', { phone: P }],
    ['chat', { telegram_chat_id: 4711 }],
    ['push token', { push_token: 'one-token' }],
  ])('of twenty handles that claim one %s at one moment one has it', async (what, claim) => {
    const { key } = await makeProject(ground, `at-once-${what.replace(' ', '-')}`);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => put(key, { handle: `h${n}`, ...claim })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
  });

  test('the recipient that stands for a chat keeps it, and no project makes one', async () => {
    const { project, key } = await makeProject(ground, 'reserved');
    await put(key, { handle: 'telegram:4711', telegram_chat_id: 666 }).expect(409);
    await ground.pool.query(
      `insert into recipient (id, project_id, handle, address_hash, telegram_chat_id, created_at, updated_at)
       values (gen_random_uuid(), $1, 'telegram:4711', $2, 4711, now(), now())`,
      [project.id, ground.hash('address', 'recipient:4711')],
    );
    await put(key, { handle: 'telegram:4711', telegram_chat_id: 666 }).expect(409);
    await put(key, { handle: 'telegram:4711', locale: 'ru' }).expect(200);
    await put(key, { handle: 'alice', telegram_chat_id: 4711 }).expect(201);
  });
});

describe('erasing', () => {
  test("takes the person's data off what is closed in this project, and nothing off what is live or another's", async () => {
    const { project, key } = await makeProject(ground, 'erase');
    const { project: other } = await makeProject(ground, 'erase-other');
    const phone = '+998908880000';
    const { body } = await put(key, { phone }).expect(201);
    const closed = await seedVerification(project.id, phone, 'approved');
    const live = await seedVerification(project.id, phone, 'live');
    const others = await seedVerification(other.id, phone, 'approved');
    await ground.pool.query(`insert into phone_user values (gen_random_uuid(), $1, $2, now(), now())`, [
      project.id,
      phone,
    ]);

    await request(api.app).delete(`/recipients/${body.id}`).set('X-Api-Key', key).expect(204);
    await get(key, `/recipients/${body.id}`).expect(404);
    await request(api.app).delete(`/recipients/${body.id}`).set('X-Api-Key', key).expect(404);
    const { rows } = await ground.pool.query('select id, phone, client, metadata from verification');
    const row = (id: string) => rows.find((each) => each.id === id);
    expect(row(closed)).toMatchObject({ phone: null, client: null, metadata: null });
    expect(row(live)).toMatchObject({ phone });
    expect(row(others)).toMatchObject({ phone });
    expect((await ground.pool.query('select from phone_user where phone = $1', [phone])).rowCount).toBe(0);
  });
});

async function seedVerification(projectId: string, phone: string, state: string): Promise<string> {
  const { rows } = await ground.pool.query(
    `insert into verification (id, project_id, address_hash, phone, purpose, mode, state, code_kid, code_length, checks_max,
       check_by_to, channels, locale, client, metadata, job_id, ttl_seconds, created_at, sent_at, expires_at)
     values (gen_random_uuid(), $1, $2, $3, 'login', 'live', $4, 'k', 6, 5, false, '{sms}', 'uz', '{"ip":"1.2.3.4"}', '{"a":"b"}',
       gen_random_uuid(), 300, now(), now(), now()) returning id`,
    [projectId, ground.hash('address', phone), phone, state],
  );
  return rows[0].id;
}
