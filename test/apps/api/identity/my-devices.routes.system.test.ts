import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reconcilerQueries } from '../../../../infra/postgres/job/reconciler.ts';
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
import { type Navbat, type TestProject, until, wrongCode } from '../../../support/navbat.ts';
import { type PhoneSession, scanQr, testPhone, type TestPhone, totpOf } from '../../../support/phone.ts';
import { newNumber, platformApp, signInByCode } from '../../../support/platform.ts';
import { jobs } from '../../../../domain/jobs.ts';
import { settles } from '../../../../infra/postgres/settles.ts';
import { retentions } from '../../../../infra/postgres/retentions.ts';

let navbat: Navbat;
let app: TestProject;
let shop: TestProject;

beforeAll(async () => {
  ({ navbat, app } = await startWithApp());
  shop = await navbat.createProject({ settings: { display_name: 'Shop' } });
});
afterAll(() => navbat.stop());

describe('a standard authenticator', () => {
  const start = (session: PhoneSession, name = 'Anvar’s app: work') =>
    asPerson(navbat, session)('POST', '/me/authenticators', { name });
  const confirm = (session: PhoneSession, id: string, totp: string) =>
    asPerson(navbat, session)('POST', `/me/authenticators/${id}/confirm`, { totp });

  test('reads its secret from the QR code, and another implementation’s code confirms it', async () => {
    const { session } = await newPerson(navbat, app);
    const started = await start(session);
    expect(started).toMatchObject({ status: 201 });
    isNotKept(started);
    const uri = new URL(scanQr(started.body.qr.png));
    expect(uri.href).toBe(started.body.totp.uri);
    expect(uri.protocol + uri.host).toBe('otpauth:totp');
    expect(decodeURIComponent(uri.pathname)).toBe('/Navbat:Anvar’s app: work');
    expect(uri.searchParams.get('issuer')).toBe('Navbat');
    const secret = uri.searchParams.get('secret') ?? '';
    // RFC 4226 R6: 160 bits are 32 characters of base32.
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(started.body.qr.svg).toMatch(/^<svg /);

    const code = await totpOf(secret);
    expect(await confirm(session, started.body.id, wrongCode(code))).toMatchObject({
      status: 422,
      body: { remaining: 4 },
    });
    expect(await confirm(session, started.body.id, code)).toMatchObject({
      status: 200,
      body: { kind: 'authenticator', this_device: false },
    });
    expect(await noticesOf(navbat, started.body.id)).toEqual(['device-bound']);
    expect(await confirm(session, started.body.id, await totpOf(secret, 1))).toMatchObject({ status: 404 });
  });

  test('waits to be confirmed one at a time: another that is started takes its place, also at the same moment', async () => {
    const { session } = await newPerson(navbat, app);
    const first = (await start(session)).body;
    await Promise.all(Array.from({ length: 5 }, () => start(session)));
    const second = (await start(session)).body;
    const { rows } = await navbat.db.query(
      'select id from device where bound_at is null and person_id = (select person_id from device where id = $1)',
      [second.id],
    );
    expect(rows).toEqual([{ id: second.id }]);
    expect(await confirm(session, first.id, await totpOf(first.totp.secret))).toMatchObject({ status: 404 });
    expect(await confirm(session, second.id, await totpOf(second.totp.secret))).toMatchObject({
      status: 200,
    });
    // What is bound already stays.
    await start(session);
    expect(await boundCount(navbat, session)).toBe(1);
  });

  test('is confirmed by its own person alone, and a stranger’s tries cost it none', async () => {
    const [mine, other] = [await newPerson(navbat, app), await newPerson(navbat, app)];
    const { id, totp } = (await start(mine.session)).body;
    for (let n = 0; n < 6; n++)
      expect(await confirm(other.session, id, await totpOf(totp.secret))).toMatchObject({ status: 404 });
    expect(await confirm(mine.session, id, await totpOf(totp.secret))).toMatchObject({ status: 200 });
  });

  test('is gone after five wrong codes; the right one passes as the fifth', async () => {
    const { session } = await newPerson(navbat, app);
    for (const wrongs of [4, 5]) {
      const { id, totp } = (await start(session)).body;
      const wrong = wrongCode(await totpOf(totp.secret, 5_000));
      for (let n = 0; n < wrongs; n++)
        expect(await confirm(session, id, wrong)).toMatchObject({ status: 422 });
      const last = await confirm(session, id, await totpOf(totp.secret));
      expect(last.status).toBe(wrongs === 4 ? 200 : 404);
      expect((await deviceRow(navbat, id))?.id).toBe(wrongs === 4 ? id : undefined);
    }
  });
});

describe('a person’s devices', () => {
  test('are five at the most, whatever is bound at the same moment', async () => {
    const { session } = await newPerson(navbat, app);
    const phones = Array.from({ length: 8 }, () => testPhone(navbat.apiUrl));
    // A QR code at a time, or each would put the one before it away.
    for (const phone of phones)
      expect(await phone.claim({ png: await enrol(navbat, session) })).toMatchObject({ status: 201 });
    // Held up between counting and binding, so that those who count together would bind together.
    const holder = await navbat.db.connect();
    await holder.query('begin; lock table person_notice in share mode');
    const confirming = Promise.all(phones.map((phone) => phone.confirm()));
    await until(async () => {
      // Whether another role's session waits, Postgres says here alone.
      const { rows } = await navbat.db.query(
        `select distinct pid from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()`,
      );
      return rows.length > 2;
    });
    await holder.query('commit');
    holder.release();
    const statuses = (await confirming).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 200, 200, 200, 200, 409, 409, 409]);
    expect(await boundCount(navbat, session)).toBe(5);

    const sixth = testPhone(navbat.apiUrl);
    const png = await enrol(navbat, session);
    expect(await sixth.claim({ png })).toMatchObject({
      status: 409,
      body: { type: 'urn:navbat:problem:too-many-devices' },
    });
    expect(await asPerson(navbat, session)('POST', '/me/authenticators', { name: 'One more' })).toMatchObject(
      {
        status: 409,
      },
    );
    const [first] = (await asPerson(navbat, session)('GET', '/me/devices?limit=1')).body.data;
    expect(await asPerson(navbat, session)('DELETE', `/me/devices/${first.id}`)).toMatchObject({
      status: 204,
    });
    expect(await sixth.claim({ png })).toMatchObject({ status: 201 });
    expect(await sixth.confirm()).toMatchObject({ status: 200 });
  });

  test('are listed in pages, renamed, and told where their pushes go by themselves alone', async () => {
    const { session } = await newPerson(navbat, app);
    const phones = [
      await boundPhone(navbat, session),
      await boundPhone(navbat, session),
      await boundPhone(navbat, session),
    ];
    const page = await asPerson(navbat, session)('GET', '/me/devices?limit=2');
    expect(page.body.data.map(({ id }: { id: string }) => id)).toEqual([phones[2]?.id, phones[1]?.id]);
    const rest = await asPerson(navbat, session)('GET', `/me/devices?cursor=${page.body.next_cursor}`);
    expect(rest.body).toMatchObject({ data: [{ id: phones[0]?.id }], next_cursor: null });

    const [phone, other] = phones as [TestPhone, TestPhone];
    const path = `/me/devices/${phone.id}`;
    expect(await other.call('PATCH', path, { name: ' Kitchen ' })).toMatchObject({
      status: 200,
      body: { name: 'Kitchen', has_push_address: false },
    });
    expect(await other.call('PATCH', path, { push_token: 'theirs' })).toMatchObject({ status: 403 });
    expect(await phone.call('PATCH', path, { push_token: 'mine' })).toMatchObject({
      status: 200,
      body: { name: 'Kitchen', has_push_address: true },
    });
    expect(await phone.call('PATCH', path, { push_token: null })).toMatchObject({
      status: 200,
      body: { has_push_address: false },
    });
  });

  test('share no push address: where it goes now, the device that was there gets no more pushes', async () => {
    const [mine, other] = [await newPerson(navbat, app), await newPerson(navbat, app)];
    const phone = await boundPhone(navbat, mine.session);
    const stranger = await boundPhone(navbat, other.session);
    const address = { push_token: 'one-installation' };
    await phone.call('PATCH', `/me/devices/${phone.id}`, address);
    expect(await stranger.call('PATCH', `/me/devices/${stranger.id}`, address)).toMatchObject({
      status: 200,
      body: { has_push_address: true },
    });
    const { body } = await phone.call('GET', '/me/devices');
    expect(body.data).toMatchObject([{ id: phone.id, has_push_address: false }]);
  });

  test('of another person read 404', async () => {
    const [mine, other] = [await newPerson(navbat, app), await newPerson(navbat, app)];
    const phone = await boundPhone(navbat, mine.session);
    const stranger = await boundPhone(navbat, other.session);
    const path = `/me/devices/${phone.id}`;
    for (const reply of [
      await stranger.call('PATCH', path, { name: 'Mine now' }),
      await stranger.call('DELETE', path),
      await stranger.call('POST', `${path}/rotate`, {}),
      await stranger.call('POST', `${path}/rotate/confirm`, { totp: '123456' }),
    ])
      expect(reply).toMatchObject({ status: 404 });
    expect(await deviceRow(navbat, phone.id)).toMatchObject({ name: 'Test phone', revoked_at: null });
  });

  test('that are revoked hear of it, and of the one that was bound a moment before', async () => {
    const { session } = await newPerson(navbat, app);
    const phone = testPhone(navbat.apiUrl);
    await phone.claim({ png: await enrol(navbat, session) }, { push_token: 'fcm-token-of-the-owner' });
    await phone.confirm();
    const thief = testPhone(navbat.apiUrl);
    await thief.claim({ png: await enrol(navbat, session) }, { push_token: 'fcm-token-of-a-thief' });
    await thief.confirm();
    expect(await thief.call('DELETE', `/me/devices/${phone.id}`)).toMatchObject({ status: 204 });
    const heard = await until(async () => {
      const pushes = navbat.sandbox.inbox({ to: 'fcm-token-of-the-owner' });
      return pushes.length >= 2 && pushes;
    });
    expect(new Set(heard.map(({ text }) => text.split('\n')[0]))).toEqual(
      new Set(['Qurilma o‘chirildi', 'Yangi qurilma ulandi']),
    );
  });

  test('that are revoked lose their sessions and their secret at once, and their push address once they were told', async () => {
    const { session } = await newPerson(navbat, app);
    const phone = testPhone(navbat.apiUrl);
    await phone.claim({ png: await enrol(navbat, session) }, { push_token: 'fcm-token' });
    await phone.confirm();
    const { recipient_id } = await deviceRow(navbat, phone.id);
    expect(await asPerson(navbat, session)('DELETE', `/me/devices/${phone.id}`)).toMatchObject({
      status: 204,
    });
    expect(await phone.call('GET', '/me/devices')).toMatchObject({ status: 401 });
    expect(await deviceRow(navbat, phone.id)).toMatchObject({
      totp_encrypted: null,
      revoked_at: expect.any(Date),
    });
    const address = () => navbat.db.query('select from recipient where id = $1', [recipient_id]);
    expect((await address()).rowCount).toBe(1);
    await navbat.db.query(`update device set revoked_at = revoked_at - interval '1 hour' where id = $1`, [
      phone.id,
    ]);
    await reconcilerQueries(navbat.db, { jobs, settles, retentions }).retire(new Date(), {
      jobDays: 30,
      phoneDays: 7,
    });
    expect((await address()).rowCount).toBe(0);
    expect(await deviceRow(navbat, phone.id)).toMatchObject({ recipient_id: null });
    expect(await noticesOf(navbat, phone.id)).toEqual(['device-bound', 'device-revoked']);
    expect(await asPerson(navbat, session)('DELETE', `/me/devices/${phone.id}`)).toMatchObject({
      status: 404,
    });
  });
});

test('a project’s session, and an app’s without a device, do not reach what is a device’s', async () => {
  const number = newNumber();
  const atShop = await signInByCode(navbat, shop, number);
  expect(await asPerson(navbat, atShop)('POST', '/me/enrolments', {})).toMatchObject({ status: 403 });
  expect(await asPerson(navbat, atShop)('GET', '/me/devices')).toMatchObject({ status: 403 });
  const { session } = await newPerson(navbat, app);
  expect(
    await asPerson(navbat, session)('POST', `/me/devices/${crypto.randomUUID()}/rotate`, {}),
  ).toMatchObject({
    status: 403,
  });
});

test('people of a test key have devices of their own', async () => {
  // A secret key, to which the codes of test keys are shown.
  const testApp = await platformApp(navbat, 'test', 'secret');
  const { number, session: live } = await newPerson(navbat, app);
  const { id } = (await testApp.call('POST', '/auth/code', { phone: number })).body;
  const { code } = (await testApp.call('GET', `/otp/${id}`)).body;
  const signedIn = await testApp.call('POST', '/auth/code/verify', { id, code });
  expect(signedIn).toMatchObject({ status: 200 });
  const phone = await boundPhone(navbat, signedIn.body);
  expect(await boundCount(navbat, signedIn.body)).toBe(1);
  expect(await boundCount(navbat, live)).toBe(0);
  const { rows } = await navbat.db.query('select mode from session where device_id = $1', [phone.id]);
  expect(rows).toEqual([{ mode: 'test' }]);
});

test('the reconciler takes tokens that are over, devices that never proved themselves, and secrets that were replaced', async () => {
  const { session } = await newPerson(navbat, app);
  const kept = await boundPhone(navbat, session);
  await kept.rotate();
  const waiting = testPhone(navbat.apiUrl);
  await waiting.claim({ png: await enrol(navbat, session) });
  const { recipient_id } = await deviceRow(navbat, waiting.id);
  const retire = (now: Date) =>
    reconcilerQueries(navbat.db, { jobs, settles, retentions }).retire(now, { jobDays: 90, phoneDays: 30 });

  await retire(new Date(Date.now() + 60_000));
  expect(await deviceRow(navbat, waiting.id)).toBeDefined();
  expect((await deviceRow(navbat, kept.id)).totp_previous_encrypted).not.toBeNull();
  await retire(new Date(Date.now() + 301_000));
  expect(await deviceRow(navbat, waiting.id)).toBeUndefined();
  expect(await deviceRow(navbat, kept.id)).toMatchObject({ totp_previous_encrypted: null, revoked_at: null });
  const left = await navbat.db.query(
    'select id from recipient where id = $1 union all select null from enrolment where expires_at < now() + $2::interval',
    [recipient_id, '5 minutes'],
  );
  expect(left.rows).toEqual([]);
});
