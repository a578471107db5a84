import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type KeyAccess, KeyScope } from '../../../domain/project/key.ts';
import { keyedHash } from '../../../infra/process/crypto.ts';
import { type Navbat, startNavbat, type TestProject } from '../../support/navbat.ts';

let navbat: Navbat;
let project: TestProject;
beforeAll(async () => {
  // One proxy, so that a request may come from an address of its own.
  navbat = await startNavbat({ env: { TRUST_PROXY: '1' } });
  project = await navbat.createProject();
});
afterAll(() => navbat.stop());

/** Another key of the project, beside the one that it was made with. */
async function otherKey(access: KeyAccess): Promise<Record<string, string>> {
  const key = `nbt_${access === 'publishable' ? 'pub_' : ''}live_${randomBytes(24).toString('base64url')}`;
  await navbat.db.query(
    `insert into api_key (id, project_id, access, mode, hash, hint, scopes, created_at)
     values ($1, $2, $3, 'live', $4, $5, $6, now())`,
    [
      randomUUID(),
      project.id,
      access,
      keyedHash(navbat.env['PEPPER'] ?? '')('api-key', key),
      key.slice(-4),
      access === 'publishable' ? ['public'] : KeyScope.options,
    ],
  );
  return { Authorization: `Bearer ${key}` };
}

const isReplay = ({ headers }: { headers: Headers }) => headers.get('idempotent-replayed') === 'true';

test('a publishable key takes no idempotency key from a secret one', async () => {
  const publishable = await otherKey('publishable');
  const name = { 'Idempotency-Key': 'order-1001' };
  const taken = await project.call(
    'POST',
    '/auth/code',
    { phone: '+998901117701' },
    { ...publishable, ...name },
  );
  expect(taken.status).toBe(202);
  const sent = await project.call('POST', '/otp/send', { to: '+998901117702' }, name);
  expect([sent.status, isReplay(sent)]).toEqual([202, false]);
});

test('a stored answer comes back to the API key that asked, and to no other', async () => {
  const [name, body] = [{ 'Idempotency-Key': 'order-1002' }, { to: '+998901117703' }];
  const first = await project.call('POST', '/otp/send', body, name);
  const again = await project.call('POST', '/otp/send', body, name);
  expect([again.status, again.body, isReplay(again)]).toEqual([202, first.body, true]);
  const other = await project.call('POST', '/otp/send', body, { ...(await otherKey('secret')), ...name });
  expect(isReplay(other)).toBe(false);
  expect(other.body).not.toEqual(first.body);
});

test('with a publishable key it comes back to the address that asked, and to no other', async () => {
  const headers = { ...(await otherKey('publishable')), 'Idempotency-Key': 'sign-in-1' };
  const askFrom = (address: string) =>
    project.call(
      'POST',
      '/auth/code',
      { phone: '+998901117704' },
      { ...headers, 'X-Forwarded-For': address },
    );
  const first = await askFrom('203.0.113.5');
  expect(first.status).toBe(202);
  const again = await askFrom('203.0.113.5');
  expect([again.body, isReplay(again)]).toEqual([first.body, true]);
  expect(isReplay(await askFrom('203.0.113.6'))).toBe(false);
});

test('the order of members changes nothing: sends and messages alike', async () => {
  const name = { 'Idempotency-Key': 'order-1003' };
  const send = (metadata: object) =>
    project.call('POST', '/otp/send', { to: '+998901117705', metadata }, name);
  expect((await send({ a: '1', b: '2' })).status).toBe(202);
  expect(isReplay(await send({ b: '2', a: '1' }))).toBe(true);

  const push = (data: object) =>
    project.call(
      'POST',
      '/push/send',
      { to: { token: 'device-1' }, data },
      { 'Idempotency-Key': 'order-1004' },
    );
  expect((await push({ a: '1', b: '2' })).status).toBe(202);
  expect(isReplay(await push({ b: '2', a: '1' }))).toBe(true);
  expect((await push({ a: '2', b: '1' })).status).toBe(422);
});
