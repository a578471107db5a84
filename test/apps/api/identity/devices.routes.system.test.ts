import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  asPerson,
  boundCount,
  boundPhone,
  deviceRow,
  enrol,
  isNotKept,
  newPerson,
  noticesOf,
  startWithApp,
} from '../../../support/devices.ts';
import { type Navbat, type TestProject, wrongCode } from '../../../support/navbat.ts';
import { scanQr, testPhone, type TestPhone, totpOf } from '../../../support/phone.ts';

let navbat: Navbat;
let app: TestProject;

beforeAll(async () => {
  ({ navbat, app } = await startWithApp());
});
afterAll(() => navbat.stop());

describe.each(['Ed25519', 'P-256'] as const)('a phone with a key on %s', (curve) => {
  test('is bound by the QR code of its person, signed in, and everybody else of theirs is told', async () => {
    const { session } = await newPerson(navbat, app);
    const phone = testPhone(navbat.apiUrl, curve);
    const claimed = await phone.claim(
      { png: await enrol(navbat, session) },
      { push_token: 'fcm-token-of-this-phone' },
    );
    expect(claimed).toMatchObject({ status: 201, body: { code_sent_to: null } });
    isNotKept(claimed);
    expect(claimed.body.totp).toMatchObject({ digits: 6, period: 30, algorithm: 'SHA1' });
    expect(await boundCount(navbat, session)).toBe(0);

    const confirmed = await phone.confirm();
    expect(confirmed).toMatchObject({
      status: 200,
      body: {
        device: { id: phone.id, kind: 'app', name: 'Test phone', has_push_address: true, this_device: true },
        session: { token_type: 'Bearer', sub: session.sub },
      },
    });
    isNotKept(confirmed);
    expect(await noticesOf(navbat, phone.id)).toEqual(['device-bound']);
    expect(await phone.call('GET', '/me/devices')).toMatchObject({
      status: 200,
      body: { data: [{ id: phone.id, this_device: true }], next_cursor: null },
    });
    // The code that confirmed it is used up.
    const step = Number((await deviceRow(navbat, phone.id)).totp_last_step);
    expect(Math.abs(step - Math.floor(Date.now() / 30_000))).toBeLessThanOrEqual(1);
  });
});

test('what stands in the database is encrypted, hashed or public', async () => {
  const { session } = await newPerson(navbat, app);
  const phone = testPhone(navbat.apiUrl);
  const png = await enrol(navbat, session);
  await phone.claim({ png }, { installation_id: 'a'.repeat(22) });
  const token = scanQr(png).split('token=')[1] ?? '';
  expect(token).toHaveLength(43);
  const { rows } = await navbat.db.query(
    `select d::text || coalesce(r::text, '') || (select string_agg(e::text, '') from enrolment e) as all
     from device d left join recipient r on r.id = d.recipient_id where d.id = $1`,
    [phone.id],
  );
  const hexOf = (text: string, encoding: BufferEncoding) => Buffer.from(text, encoding).toString('hex');
  for (const secret of [token, phone.secret, 'a'.repeat(22), hexOf(token, 'base64url'), hexOf(token, 'utf8')])
    expect(rows[0].all).not.toContain(secret);
  expect(navbat.log.join('\n')).not.toContain(phone.secret);
  expect(navbat.log.join('\n')).not.toContain(token);
});

describe('what does not prove a device', () => {
  const wrongs: [string, (phone: TestPhone) => Promise<object>][] = [
    [
      'the signature of another key',
      async (phone) => ({
        signature: testPhone(navbat.apiUrl).sign('navbat-device-v1', await statementOf(phone)),
      }),
    ],
    [
      'a signature for another domain',
      async (phone) => ({ signature: phone.sign('navbat-approval-v1', await statementOf(phone)) }),
    ],
    [
      'a signature over another nonce',
      async (phone) => ({
        signature: phone.sign('navbat-device-v1', {
          ...(await statementOf(phone)),
          nonce: randomBytes(32).toString('base64url'),
        }),
      }),
    ],
    [
      'a signature over another device',
      async (phone) => ({
        signature: phone.sign('navbat-device-v1', {
          ...(await statementOf(phone)),
          device: crypto.randomUUID(),
        }),
      }),
    ],
    ['a signature of zeros', async () => ({ signature: Buffer.alloc(64).toString('base64url') })],
    ['a wrong TOTP', async (phone) => ({ totp: wrongCode(await phone.totp(3_000)) })],
    ['a TOTP of three steps ago', async (phone) => ({ totp: await phone.totp(-3) })],
  ];

  async function statementOf(phone: TestPhone) {
    const { nonce } = await deviceRow(navbat, phone.id);
    return { device: phone.id, nonce: nonce.toString('base64url'), public_key: phone.thumbprint };
  }

  test.each(wrongs)('%s', async (_what, spoil) => {
    const { session } = await newPerson(navbat, app);
    const phone = testPhone(navbat.apiUrl);
    await phone.claim({ png: await enrol(navbat, session) });
    expect(await phone.confirm(await spoil(phone))).toMatchObject({
      status: 422,
      body: { type: 'urn:navbat:problem:wrong-proof', remaining: 4 },
    });
    expect(await boundCount(navbat, session)).toBe(0);
    expect(await phone.confirm()).toMatchObject({ status: 200 });
  });

  test('five wrong proofs, of which none is forgiven', async () => {
    const { session } = await newPerson(navbat, app);
    const phone = testPhone(navbat.apiUrl);
    await phone.claim({ png: await enrol(navbat, session) });
    const tries = Array.from({ length: 10 }, () => phone.confirm({ totp: '000000' }));
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 422)).toHaveLength(5);
    expect(await phone.confirm()).toMatchObject({ status: 404 });
    expect(await deviceRow(navbat, phone.id)).toBeUndefined();
  });

  test.each([
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey.export({ format: 'jwk' })],
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })],
    ['a private key', () => generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })],
    ['a point off its curve', () => ({ kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) })],
    ['a point of small order', () => ({ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) })],
  ])('%s as its key: 400, and the token is still good', async (_what, key) => {
    const { session } = await newPerson(navbat, app);
    const png = await enrol(navbat, session);
    const phone = testPhone(navbat.apiUrl);
    const refused = await phone.claim({ png }, { public_key: key() });
    expect(refused).toMatchObject({ status: 400 });
    expect(refused.body.errors[0].pointer).toMatch(/^\/public_key/);
    expect(await phone.claim({ png })).toMatchObject({ status: 201 });
  });
});

test('a session whose proof is five minutes old binds, revokes and rotates nothing', async () => {
  const { session } = await newPerson(navbat, app);
  const phone = await boundPhone(navbat, session);
  await navbat.db.query(
    `update session set authenticated_at = now() - interval '301 seconds' where id = any($1)`,
    [[session.session_id, phone.session.session_id]],
  );
  const person = asPerson(navbat, session);
  for (const reply of [
    await person('POST', '/me/enrolments', {}),
    await person('POST', '/me/authenticators', { name: 'App' }),
    await person('DELETE', `/me/devices/${phone.id}`),
    await phone.call('POST', `/me/devices/${phone.id}/rotate`, {}),
  ])
    expect(reply).toMatchObject({ status: 401 });
  expect(await person('GET', '/me/devices')).toMatchObject({ status: 200 });
});

test('a new secret takes the place of the old one, whose codes are taken for 90 seconds more', async () => {
  const { session } = await newPerson(navbat, app);
  const phone = await boundPhone(navbat, session);
  const before = await deviceRow(navbat, phone.id);
  const oldSecret = phone.secret;
  expect(await phone.rotate()).toMatchObject({ status: 204 });
  expect(phone.secret).not.toBe(oldSecret);
  const after = await deviceRow(navbat, phone.id);
  expect(after.totp_previous_encrypted).toEqual(before.totp_encrypted);
  expect(after.totp_encrypted).not.toEqual(before.totp_encrypted);
  expect(after.totp_next_encrypted).toBeNull();
  expect(after.totp_last_step).toBe(before.totp_last_step);
  const leftMs = after.totp_previous_until.getTime() - Date.now();
  expect(leftMs).toBeGreaterThan(80_000);
  expect(leftMs).toBeLessThanOrEqual(90_000);
  // Nothing waits any more, and a wrong code takes nothing into use.
  const path = `/me/devices/${phone.id}/rotate`;
  expect(await phone.call('POST', `${path}/confirm`, { totp: '123456' })).toMatchObject({ status: 404 });
  const offered = await phone.call('POST', path, {});
  isNotKept(offered);
  const wrong = wrongCode(await totpOf(offered.body.totp.secret, 4_000));
  expect(await phone.call('POST', `${path}/confirm`, { totp: wrong })).toMatchObject({ status: 422 });
  expect((await deviceRow(navbat, phone.id)).totp_encrypted).toEqual(after.totp_encrypted);
});
