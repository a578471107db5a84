import { randomBytes, randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyedHash } from '../../infra/crypto.ts';
import { codeSentTo, type Navbat, startNavbat, type TestProject } from '../support/navbat.ts';

let navbat: Navbat;
let live: TestProject;
let testKey: string;

beforeAll(async () => {
  navbat = await startNavbat();
  live = await navbat.createProject();
  testKey = `nbt_test_${randomBytes(24).toString('base64url')}`;
  await navbat.db.query(
    `insert into api_key (id, project_id, access, mode, hash, hint, scopes, created_at)
     values ($1, $2, 'secret', 'test', $3, $4, '{otp,public}', now())`,
    [randomUUID(), live.id, keyedHash(navbat.env['PEPPER'] ?? '')('api-key', testKey), testKey.slice(-4)],
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
