import { randomBytes, randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeyScope } from '../../../domain/project/key.ts';
import { keyedHash } from '../../../infra/process/crypto.ts';
import { codeSentTo, type Navbat, startNavbat, type TestProject } from '../../support/navbat.ts';

let navbat: Navbat;
let live: TestProject;
let testKey: string;

beforeAll(async () => {
  navbat = await startNavbat();
  live = await navbat.createProject();
  testKey = `nbt_test_${randomBytes(24).toString('base64url')}`;
  await navbat.db.query(
    `insert into api_key (id, project_id, access, mode, hash, hint, scopes, created_at)
     values ($1, $2, 'secret', 'test', $3, $4, $5, now())`,
    [
      randomUUID(),
      live.id,
      keyedHash(navbat.env['PEPPER'] ?? '')('api-key', testKey),
      testKey.slice(-4),
      KeyScope.options,
    ],
  );
});
afterAll(() => navbat.stop());

const withTestKey = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  live.call(method, path, body, { ...headers, Authorization: `Bearer ${testKey}` });

test('whoever holds a test key, and so sees its codes, logs in as nobody of the live keys', async () => {
  const phone = '+998901112233';
  expect((await live.call('POST', '/api/send-otp/', { phone })).status).toBe(200);
  const otp = await codeSentTo(navbat, phone);
  const person = decodeJwt((await live.call('POST', '/api/verify-otp/', { phone, otp })).body.token);
  expect(person.aud).toBe(live.id);

  const sent = await withTestKey('POST', '/api/send-otp/', { phone });
  const { code } = (await withTestKey('GET', sent.body.status_url)).body;
  const verified = await withTestKey('POST', '/api/verify-otp/', { phone, otp: code });
  expect(verified.status).toBe(200);
  const intruder = decodeJwt(verified.body.token);
  expect(intruder.sub).not.toBe(person.sub);
  expect(intruder.aud).toBe(`test:${live.id}`);
});

test('a test key uses up no Idempotency-Key of the live ones', async () => {
  const key = { 'Idempotency-Key': 'order-1' };
  const body = { to: '+998901112244' };
  expect(await withTestKey('POST', '/otp/send', body, key)).toMatchObject({ status: 202 });
  expect(await live.call('POST', '/otp/send', body, key)).toMatchObject({ status: 202 });
});

test('a resend under the key of its send is another request, and never the answer to the first', async () => {
  const key = { 'Idempotency-Key': 'order-2' };
  const { body } = await live.call(
    'POST',
    '/otp/send',
    { to: '+998901112255', channels: ['sms'], locale: 'uz' },
    key,
  );
  expect(await live.call('POST', `/otp/${body.id}/resend`, {}, key)).toMatchObject({
    status: 422,
    body: { type: 'urn:navbat:problem:idempotency-key-reused' },
  });
});

test('in test mode, a code to a recipient without a phone is sent again, and not anew', async () => {
  const { body: person } = await live.call('PUT', '/recipients', {
    handle: 'nodira',
    telegram_chat_id: 8_101,
    locale: 'ru',
  });
  const { body: sent } = await withTestKey('POST', '/otp/send', { to: person.id });
  await navbat.db.query(`update verification set sent_at = sent_at - interval '31 s' where id = $1`, [
    sent.id,
  ]);
  expect(await withTestKey('POST', `/otp/${sent.id}/resend`, {})).toMatchObject({
    status: 202,
    body: { id: sent.id, resend: true },
  });
  expect((await withTestKey('GET', `/otp/${sent.id}`)).body).toMatchObject({ sends: 2, locale: 'ru' });
});

test('erasing a recipient takes the number off what test keys sent to it', async () => {
  const { body: person } = await live.call('PUT', '/recipients', { phone: '+998901112288' });
  const { body: sent } = await withTestKey('POST', '/otp/send', { to: '+998901112288' });
  await withTestKey('POST', `/otp/${sent.id}/cancel`, {});
  expect((await live.call('DELETE', `/recipients/${person.id}`)).status).toBe(204);
  expect((await withTestKey('GET', `/otp/${sent.id}`)).body).toMatchObject({ to: null });
});

test('a test key with every scope changes and reads nothing that is live', async () => {
  const { body: person } = await live.call('PUT', '/recipients', { handle: 'aziza', phone: '+998901112266' });
  const refused: [method: string, path: string, body?: unknown][] = [
    ['GET', '/recipients'],
    ['GET', `/recipients/${person.id}`],
    ['PUT', '/recipients', { handle: 'aziza', phone: '+998901112277' }],
    ['DELETE', `/recipients/${person.id}`],
    ['PATCH', `/projects/${live.id}`, { settings: { channels: ['sms'] } }],
    ['GET', `/projects/${live.id}/usage`],
    ['GET', `/projects/${live.id}/keys`],
    ['POST', `/projects/${live.id}/keys`, {}],
  ];
  for (const [method, path, body] of refused)
    expect(await withTestKey(method, path, body), `${method} ${path}`).toMatchObject({
      status: 403,
      body: { type: 'urn:navbat:problem:live-key-required', detail: expect.stringContaining('live key') },
    });
  expect((await live.call('GET', `/recipients/${person.id}`)).body.phone).toBe('+998901112266');
  expect(await withTestKey('GET', `/projects/${live.id}`)).toMatchObject({
    status: 200,
    body: { id: live.id },
  });
});

test('messages of test keys are sent to nobody, and live ones are not theirs to see or stop', async () => {
  const body = { to: { chat_id: 8_001 }, text: 'salom', dedupe_key: 'order-3' };
  const key = { 'Idempotency-Key': 'order-3' };
  const tested = await withTestKey('POST', '/telegram/send', body, key);
  const far = new Date(Date.now() + 60_000).toISOString();
  const sent = await live.call('POST', '/telegram/send', { ...body, send_at: far }, key);
  expect(sent).toMatchObject({ status: 202, headers: expect.anything() });
  expect(sent.body.id).not.toBe(tested.body.id);

  expect((await withTestKey('GET', '/broadcasts')).body.data).toMatchObject([{ id: tested.body.id }]);
  expect((await live.call('GET', '/broadcasts')).body.data).toMatchObject([{ id: sent.body.id }]);
  expect((await withTestKey('GET', `/jobs/${tested.body.job_id}`)).body).toMatchObject({
    state: 'completed',
    reason: 'test-mode',
    attempts: [],
  });
  for (const path of [`/broadcasts/${sent.body.id}`, `/jobs/${sent.body.job_id}`])
    expect((await withTestKey('GET', path)).status, path).toBe(404);
  expect((await withTestKey('POST', `/broadcasts/${sent.body.id}/cancel`, {})).status).toBe(404);
  expect((await live.call('GET', `/broadcasts/${sent.body.id}`)).body.state).toBe('sending');
});
