import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeSentTo, type Navbat, startNavbat, type TestProject } from '../../support/navbat.ts';

let navbat: Navbat;
let project: TestProject;

beforeAll(async () => {
  navbat = await startNavbat();
  project = await navbat.createProject();
});
afterAll(() => navbat.stop());

test('send, read the inbox, verify: approved once and never again', async () => {
  const to = '+998901234567';
  const sent = await project.call('POST', '/otp/send', { to });
  expect(sent).toMatchObject({
    status: 202,
    body: { status_url: `/otp/${sent.body.id}`, channels: ['sms'], resend: false },
  });

  const code = await codeSentTo(navbat, to);
  const verified = await project.call('POST', '/otp/verify', { id: sent.body.id, code });
  expect(verified).toMatchObject({ status: 200, body: { id: sent.body.id, status: 'approved' } });
  expect(await project.call('POST', '/otp/verify', { id: sent.body.id, code })).toMatchObject({
    status: 410,
    body: { reason: 'used' },
  });
});

test('the phone API keeps its exact bodies, and its token is a JWT of the phone’s user', async () => {
  const phone = '+998901234568';
  const sent = await project.call('POST', '/api/send-otp/', { phone });
  expect(sent).toMatchObject({ status: 200, body: { message: 'OTP sent successfully' } });

  const otp = await codeSentTo(navbat, phone);
  const verified = await project.call('POST', '/api/verify-otp/', { phone, otp });
  expect(verified).toMatchObject({
    status: 200,
    body: { message: 'OTP verified successfully', token: expect.any(String) },
  });
  const { d: _secret, ...jwk } = JSON.parse(navbat.env['JWT_PRIVATE_JWK'] ?? '') as Record<string, string>;
  const keys = createLocalJWKSet({ keys: [{ ...jwk, kty: 'OKP', alg: 'EdDSA' }] });
  const { payload } = await jwtVerify(verified.body.token, keys, { audience: project.id, issuer: 'navbat' });
  const users = await navbat.db.query('select id from phone_user where phone = $1 and project_id = $2', [
    phone,
    project.id,
  ]);
  expect(users.rows).toEqual([{ id: payload.sub }]);

  expect(await project.call('POST', '/api/verify-otp/', { phone, otp })).toMatchObject({
    status: 422,
    body: { detail: 'The code is wrong.' },
  });
});

test('a publishable key reaches the phone API and nothing else', async () => {
  const app = await navbat.createProject({ access: 'publishable', scopes: ['public'] });
  expect(await app.call('POST', '/api/send-otp/', { phone: '+998901234570' })).toMatchObject({ status: 200 });
  expect(await app.call('POST', '/otp/send', { to: '+998901234570' })).toMatchObject({ status: 403 });
  expect(await app.call('GET', '/jobs')).toMatchObject({ status: 403 });
});

test('a test key sends nothing and shows the code', async () => {
  const testing = await navbat.createProject({ mode: 'test' });
  const to = '+998901234571';
  const sent = await testing.call('POST', '/otp/send', { to, length: 8 });
  const timeline = await testing.call('GET', sent.body.status_url);
  expect(timeline.body.code).toMatch(/^\d{8}$/);
  expect(
    await testing.call('POST', '/otp/verify', { id: sent.body.id, code: timeline.body.code }),
  ).toMatchObject({ status: 200 });
  expect((await testing.call('GET', sent.body.status_url)).body).not.toHaveProperty('code');
  expect(navbat.sandbox.inbox({ to })).toEqual([]);
});

test('the request id follows the job onto its attempt and into the worker’s log', async () => {
  const sent = await project.call(
    'POST',
    '/otp/send',
    { to: '+998901234572' },
    { 'X-Request-Id': 'tour-request-1' },
  );
  await codeSentTo(navbat, '+998901234572');
  const attempts = await navbat.db.query('select request_id from attempt where job_id = $1', [
    sent.body.job_id,
  ]);
  expect(attempts.rows).toEqual([{ request_id: 'tour-request-1' }]);
  await expect
    .poll(() => navbat.log.some((line) => line.includes('"attempt"') && line.includes('tour-request-1')))
    .toBe(true);
});

test('one idempotency key is one job and one answer', async () => {
  const body = { to: '+998901234573' };
  const first = await project.call('POST', '/otp/send', body, { 'Idempotency-Key': 'order-1' });
  const replies = await Promise.all(
    Array.from({ length: 20 }, () =>
      project.call('POST', '/otp/send', body, { 'Idempotency-Key': 'order-1' }),
    ),
  );
  for (const reply of replies) {
    expect(reply).toMatchObject({ status: 202, body: first.body });
    expect(reply.headers.get('Idempotent-Replayed')).toBe('true');
  }
  const other = await project.call(
    'POST',
    '/otp/send',
    { to: '+998901234574' },
    { 'Idempotency-Key': 'order-1' },
  );
  expect(other).toMatchObject({ status: 422, body: { type: 'urn:navbat:problem:idempotency-key-reused' } });
});
