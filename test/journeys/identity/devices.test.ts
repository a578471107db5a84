import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STRANGER_SENDS_PER_HOUR } from '../../../domain/verify/strangers.ts';
import { reconcilerQueries } from '../../../infra/postgres/job/reconciler.ts';
import {
  type Navbat,
  type Reply,
  startNavbat,
  type TestProject,
  until,
  wrongCode,
} from '../../support/navbat.ts';
import { type PhoneSession, scanQr, send, type TestPhone, testPhone, totpOf } from '../../support/phone.ts';
import { codeAfter, platformApp, signInByCode } from '../../support/platform.ts';
import { jobs } from '../../../domain/jobs.ts';
import { settles } from '../../../infra/postgres/settles.ts';
import { retentions } from '../../../infra/postgres/retentions.ts';

let navbat: Navbat;
let app: TestProject;
let shop: TestProject;
let nextNumber = 1_000;

beforeAll(async () => {
  navbat = await startNavbat();
  app = await platformApp(navbat);
  // Room for all codes of this file: what empties a budget is another test's.
  await navbat.db.query('update project set settings = settings || $2 where id = $1', [
    app.id,
    { sms_daily_budget_micros: 1_000_000_000 },
  ]);
  shop = await navbat.createProject({ settings: { display_name: 'Shop' } });
});
afterAll(() => navbat.stop());

const newNumber = () => `+99890555${nextNumber++}`;

/** A person who signed in to Navbat's app a moment ago. */
async function newPerson() {
  const number = newNumber();
  return { number, session: await signInByCode(navbat, app, number) };
}

const asPerson = (session: PhoneSession) => (method: string, path: string, body?: unknown) =>
  send(navbat.apiUrl + path, method, body, { Authorization: `Bearer ${session.access_token}` });

/** The picture that the person's other screen shows. */
async function enrol(session: PhoneSession): Promise<string> {
  const reply = await asPerson(session)('POST', '/me/enrolments', {});
  expect(reply).toMatchObject({ status: 201 });
  return reply.body.qr.png;
}

async function boundPhone(session: PhoneSession, curve: 'Ed25519' | 'P-256' = 'Ed25519'): Promise<TestPhone> {
  const phone = testPhone(navbat.apiUrl, curve);
  expect(await phone.claim({ png: await enrol(session) })).toMatchObject({ status: 201 });
  expect(await phone.confirm()).toMatchObject({ status: 200 });
  return phone;
}

async function deviceRow(id: string) {
  const { rows } = await navbat.db.query('select * from device where id = $1', [id]);
  return rows[0];
}

const noticesOf = async (deviceId: string) => {
  const { rows } = await navbat.db.query('select kind from person_notice where subject_id = $1 order by id', [
    deviceId,
  ]);
  return rows.map(({ kind }) => kind);
};

const boundCount = async (session: PhoneSession) =>
  (await asPerson(session)('GET', '/me/devices')).body.data.length;

const isNotKept = (reply: Reply) => expect(reply.headers.get('cache-control')).toBe('no-store');

describe.each(['Ed25519', 'P-256'] as const)('a phone with a key on %s', (curve) => {
  test('is bound by the QR code of its person, signed in, and everybody else of theirs is told', async () => {
    const { session } = await newPerson();
    const phone = testPhone(navbat.apiUrl, curve);
    const claimed = await phone.claim(
      { png: await enrol(session) },
      { push_token: 'fcm-token-of-this-phone' },
    );
    expect(claimed).toMatchObject({ status: 201, body: { code_sent_to: null } });
    isNotKept(claimed);
    expect(claimed.body.totp).toMatchObject({ digits: 6, period: 30, algorithm: 'SHA1' });
    expect(await boundCount(session)).toBe(0);

    const confirmed = await phone.confirm();
    expect(confirmed).toMatchObject({
      status: 200,
      body: {
        device: { id: phone.id, kind: 'app', name: 'Test phone', has_push_address: true, this_device: true },
        session: { token_type: 'Bearer', sub: session.sub },
      },
    });
    isNotKept(confirmed);
    expect(await noticesOf(phone.id)).toEqual(['device-bound']);
    expect(await phone.call('GET', '/me/devices')).toMatchObject({
      status: 200,
      body: { data: [{ id: phone.id, this_device: true }], next_cursor: null },
    });
    // The code that confirmed it is used up.
    const step = Number((await deviceRow(phone.id)).totp_last_step);
    expect(Math.abs(step - Math.floor(Date.now() / 30_000))).toBeLessThanOrEqual(1);
  });
});

test('what stands in the database is encrypted, hashed or public', async () => {
  const { session } = await newPerson();
  const phone = testPhone(navbat.apiUrl);
  const png = await enrol(session);
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

describe('a QR code', () => {
  const REFUSED = { status: 410, body: { type: 'urn:navbat:problem:enrolment-over' } };
  const live = async (column: 'person_id' | 'recipient_id', token: string) => {
    const { rows } = await navbat.db.query<{ n: number }>(
      `select count(*)::int n from enrolment where used_at is null and ${column} = (select ${column} from enrolment where token_hash = sha256($1))`,
      [Buffer.from(token)],
    );
    return rows[0]?.n;
  };
  const scan = (token: string) => testPhone(navbat.apiUrl).claim({ token });
  const both = async (open: () => Promise<Reply>) => {
    const first = (await open()).body.token;
    await Promise.all(Array.from({ length: 5 }, open));
    return [first, (await open()).body.token];
  };

  test('of a person puts the one before it away, also of those made at the same moment', async () => {
    const [{ session }, other] = [await newPerson(), await newPerson()];
    const elsewhere = (await asPerson(other.session)('POST', '/me/enrolments', {})).body.token;
    const [first, second] = await both(() => asPerson(session)('POST', '/me/enrolments', {}));
    expect(await live('person_id', second)).toBe(1);
    expect(await scan(first)).toMatchObject(REFUSED);
    expect(await scan(second)).toMatchObject({ status: 201 });
    expect(await scan(elsewhere)).toMatchObject({ status: 201 });
  });

  test('of a project’s page puts the one before it for the same recipient away, and no other project’s', async () => {
    const number = newNumber();
    const other = await navbat.createProject();
    const elsewhere = (await other.call('POST', '/enrolments', { phone: number })).body.token;
    const [first, second] = await both(() => shop.call('POST', '/enrolments', { phone: number }));
    expect(await live('recipient_id', second)).toBe(1);
    expect(await live('recipient_id', elsewhere)).toBe(1);
    expect(await scan(first)).toMatchObject(REFUSED);
    expect(await scan(second)).toMatchObject({ status: 201 });
  });
});

describe('a project’s page', () => {
  const page = async (body: object, project = shop) => project.call('POST', '/enrolments', body);

  async function claimed(number: string, curve: 'Ed25519' | 'P-256' = 'Ed25519') {
    const phone = testPhone(navbat.apiUrl, curve);
    const enrolment = await page({ phone: number });
    expect(enrolment).toMatchObject({ status: 201 });
    isNotKept(enrolment);
    const code = await codeAfter(navbat, number, async () => {
      const reply = await phone.claim({ png: enrolment.body.qr.png });
      expect(reply).toMatchObject({
        status: 201,
        body: { code_sent_to: `${number.slice(0, 4)}•••••••${number.slice(-2)}` },
      });
    });
    return { phone, code };
  }
  const recipientOf = async (number: string) => {
    const { rows } = await navbat.db.query('select * from recipient where phone = $1 and project_id = $2', [
      number,
      shop.id,
    ]);
    return rows[0];
  };

  test('binds with the code that goes to the phone, and from then on the project knows the person', async () => {
    const number = newNumber();
    const { phone, code } = await claimed(number);
    expect((await recipientOf(number)).person_id).toBeNull();
    expect(await phone.confirm({ code })).toMatchObject({ status: 200, body: { device: { id: phone.id } } });
    const { person_id } = await recipientOf(number);
    expect(person_id).toBe((await deviceRow(phone.id)).person_id);
    expect(person_id).not.toBeNull();
  });

  test('by the id of a recipient too; one without a phone, and another project’s, are refused', async () => {
    const number = newNumber();
    const put = await shop.call('PUT', '/recipients', { phone: number });
    expect(await page({ recipient: put.body.id })).toMatchObject({ status: 201 });
    const chat = await shop.call('PUT', '/recipients', { handle: 'no-phone', telegram_chat_id: 4 });
    expect(await page({ recipient: chat.body.id })).toMatchObject({ status: 422 });
    const other = await navbat.createProject();
    expect(await page({ recipient: put.body.id }, other)).toMatchObject({ status: 404 });
    expect(await page({ recipient: put.body.id, phone: number })).toMatchObject({ status: 400 });
    const testKey = await navbat.createProject({ mode: 'test' });
    expect(await page({ phone: number }, testKey)).toMatchObject({ status: 403 });
  });

  test('without the code, or with a wrong one, binds nothing', async () => {
    const number = newNumber();
    const { phone, code } = await claimed(number);
    expect(await phone.confirm()).toMatchObject({
      status: 422,
      body: { type: 'urn:navbat:problem:code-required' },
    });
    expect(await phone.confirm({ code: wrongCode(code) })).toMatchObject({
      status: 422,
      body: { type: 'urn:navbat:problem:incorrect-code', remaining: 4 },
    });
    expect((await deviceRow(phone.id)).bound_at).toBeNull();
    expect((await recipientOf(number)).person_id).toBeNull();
    expect(await phone.confirm({ code })).toMatchObject({ status: 200 });
  });

  test('the code of one binds one: of two phones that wait for the same number, the second stays outside', async () => {
    const number = newNumber();
    const mine = await claimed(number);
    const stranger = testPhone(navbat.apiUrl);
    expect(await stranger.claim({ token: (await page({ phone: number })).body.token })).toMatchObject({
      status: 201,
    });
    expect(await mine.phone.confirm({ code: mine.code })).toMatchObject({ status: 200 });
    // Whose code is another one, which mine neither ended nor is.
    expect(await stranger.confirm({ code: mine.code })).toMatchObject({ status: 422 });
    expect(await stranger.confirm()).toMatchObject({ status: 422 });
    expect((await deviceRow(stranger.id)).bound_at).toBeNull();
  });

  test('where no code can be sent, the token is still good', async () => {
    const number = newNumber();
    const scan = async () =>
      testPhone(navbat.apiUrl).claim({ token: (await page({ phone: number })).body.token });
    for (let n = 0; n < STRANGER_SENDS_PER_HOUR; n++) expect(await scan()).toMatchObject({ status: 201 });
    const again = testPhone(navbat.apiUrl);
    const { token } = (await page({ phone: number })).body;
    expect(await again.claim({ token })).toMatchObject({
      status: 429,
      body: { type: 'urn:navbat:problem:publishable-limit' },
    });
    // An hour later, for the count of codes and for that of paid messages.
    await navbat.db.query(
      `with earlier as (update verification set sent_at = sent_at - interval '1 hour' where phone = $1 returning id),
         sent as (update job set accepted_at = accepted_at - interval '1 hour', finished_at = coalesce(finished_at, now()) - interval '1 hour'
           where subject_id in (select id from earlier) returning id)
       update attempt set opened_at = opened_at - interval '1 hour' where job_id in (select id from sent)`,
      [number],
    );
    expect(await again.claim({ token })).toMatchObject({ status: 201 });
  });
});

describe('a standard authenticator', () => {
  const start = (session: PhoneSession, name = 'Anvar’s app: work') =>
    asPerson(session)('POST', '/me/authenticators', { name });
  const confirm = (session: PhoneSession, id: string, totp: string) =>
    asPerson(session)('POST', `/me/authenticators/${id}/confirm`, { totp });

  test('reads its secret from the QR code, and another implementation’s code confirms it', async () => {
    const { session } = await newPerson();
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
    expect(await noticesOf(started.body.id)).toEqual(['device-bound']);
    expect(await confirm(session, started.body.id, await totpOf(secret, 1))).toMatchObject({ status: 404 });
  });

  test('waits to be confirmed one at a time: another that is started takes its place, also at the same moment', async () => {
    const { session } = await newPerson();
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
    expect(await boundCount(session)).toBe(1);
  });

  test('is confirmed by its own person alone, and a stranger’s tries cost it none', async () => {
    const [mine, other] = [await newPerson(), await newPerson()];
    const { id, totp } = (await start(mine.session)).body;
    for (let n = 0; n < 6; n++)
      expect(await confirm(other.session, id, await totpOf(totp.secret))).toMatchObject({ status: 404 });
    expect(await confirm(mine.session, id, await totpOf(totp.secret))).toMatchObject({ status: 200 });
  });

  test('is gone after five wrong codes; the right one passes as the fifth', async () => {
    const { session } = await newPerson();
    for (const wrongs of [4, 5]) {
      const { id, totp } = (await start(session)).body;
      const wrong = wrongCode(await totpOf(totp.secret, 5_000));
      for (let n = 0; n < wrongs; n++)
        expect(await confirm(session, id, wrong)).toMatchObject({ status: 422 });
      const last = await confirm(session, id, await totpOf(totp.secret));
      expect(last.status).toBe(wrongs === 4 ? 200 : 404);
      expect((await deviceRow(id))?.id).toBe(wrongs === 4 ? id : undefined);
    }
  });
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
    const { nonce } = await deviceRow(phone.id);
    return { device: phone.id, nonce: nonce.toString('base64url'), public_key: phone.thumbprint };
  }

  test.each(wrongs)('%s', async (_what, spoil) => {
    const { session } = await newPerson();
    const phone = testPhone(navbat.apiUrl);
    await phone.claim({ png: await enrol(session) });
    expect(await phone.confirm(await spoil(phone))).toMatchObject({
      status: 422,
      body: { type: 'urn:navbat:problem:wrong-proof', remaining: 4 },
    });
    expect(await boundCount(session)).toBe(0);
    expect(await phone.confirm()).toMatchObject({ status: 200 });
  });

  test('five wrong proofs, of which none is forgiven', async () => {
    const { session } = await newPerson();
    const phone = testPhone(navbat.apiUrl);
    await phone.claim({ png: await enrol(session) });
    const tries = Array.from({ length: 10 }, () => phone.confirm({ totp: '000000' }));
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 422)).toHaveLength(5);
    expect(await phone.confirm()).toMatchObject({ status: 404 });
    expect(await deviceRow(phone.id)).toBeUndefined();
  });

  test.each([
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey.export({ format: 'jwk' })],
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })],
    ['a private key', () => generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })],
    ['a point off its curve', () => ({ kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) })],
    ['a point of small order', () => ({ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) })],
  ])('%s as its key: 400, and the token is still good', async (_what, key) => {
    const { session } = await newPerson();
    const png = await enrol(session);
    const phone = testPhone(navbat.apiUrl);
    const refused = await phone.claim({ png }, { public_key: key() });
    expect(refused).toMatchObject({ status: 400 });
    expect(refused.body.errors[0].pointer).toMatch(/^\/public_key/);
    expect(await phone.claim({ png })).toMatchObject({ status: 201 });
  });
});

describe('a token', () => {
  const OVER = { status: 410, body: { type: 'urn:navbat:problem:enrolment-over' } };

  test('is used once in 50 claims at the same moment', async () => {
    const { session } = await newPerson();
    const png = await enrol(session);
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => testPhone(navbat.apiUrl).claim({ png })),
    );
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 410)).toHaveLength(49);
  });

  test('that is unknown, used or expired is one answer', async () => {
    const { session } = await newPerson();
    const phone = testPhone(navbat.apiUrl);
    const used = await enrol(session);
    await phone.claim({ png: used });
    const expired = await enrol(session);
    await navbat.db.query('update enrolment set expires_at = now() where used_at is null');
    const unknown = { token: randomBytes(32).toString('base64url') };
    const answers = [
      await testPhone(navbat.apiUrl).claim({ png: used }),
      await testPhone(navbat.apiUrl).claim({ png: expired }),
      await testPhone(navbat.apiUrl).claim(unknown),
    ];
    for (const answer of answers) expect(answer).toMatchObject(OVER);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  });

  test('leads nowhere once the time to confirm is over', async () => {
    const { session } = await newPerson();
    const phone = testPhone(navbat.apiUrl);
    await phone.claim({ png: await enrol(session) });
    await navbat.db.query('update device set confirm_until = now() where id = $1', [phone.id]);
    expect(await phone.confirm()).toMatchObject({ status: 404 });
  });
});

describe('a person’s devices', () => {
  test('are five at the most, whatever is bound at the same moment', async () => {
    const { session } = await newPerson();
    const phones = Array.from({ length: 8 }, () => testPhone(navbat.apiUrl));
    // A QR code at a time, or each would put the one before it away.
    for (const phone of phones)
      expect(await phone.claim({ png: await enrol(session) })).toMatchObject({ status: 201 });
    // Held up between counting and binding, so that those who count together would bind together.
    const holder = await navbat.db.connect();
    await holder.query('begin; lock table person_notice in share mode');
    const confirming = Promise.all(phones.map((phone) => phone.confirm()));
    await until(async () => {
      const { rows } = await navbat.db.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      );
      return rows.length > 2;
    });
    await holder.query('commit');
    holder.release();
    const statuses = (await confirming).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 200, 200, 200, 200, 409, 409, 409]);
    expect(await boundCount(session)).toBe(5);

    const sixth = testPhone(navbat.apiUrl);
    const png = await enrol(session);
    expect(await sixth.claim({ png })).toMatchObject({
      status: 409,
      body: { type: 'urn:navbat:problem:too-many-devices' },
    });
    expect(await asPerson(session)('POST', '/me/authenticators', { name: 'One more' })).toMatchObject({
      status: 409,
    });
    const [first] = (await asPerson(session)('GET', '/me/devices?limit=1')).body.data;
    expect(await asPerson(session)('DELETE', `/me/devices/${first.id}`)).toMatchObject({ status: 204 });
    expect(await sixth.claim({ png })).toMatchObject({ status: 201 });
    expect(await sixth.confirm()).toMatchObject({ status: 200 });
  });

  test('are listed in pages, renamed, and told where their pushes go by themselves alone', async () => {
    const { session } = await newPerson();
    const phones = [await boundPhone(session), await boundPhone(session), await boundPhone(session)];
    const page = await asPerson(session)('GET', '/me/devices?limit=2');
    expect(page.body.data.map(({ id }: { id: string }) => id)).toEqual([phones[2]?.id, phones[1]?.id]);
    const rest = await asPerson(session)('GET', `/me/devices?cursor=${page.body.next_cursor}`);
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
    const [mine, other] = [await newPerson(), await newPerson()];
    const phone = await boundPhone(mine.session);
    const stranger = await boundPhone(other.session);
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
    const [mine, other] = [await newPerson(), await newPerson()];
    const phone = await boundPhone(mine.session);
    const stranger = await boundPhone(other.session);
    const path = `/me/devices/${phone.id}`;
    for (const reply of [
      await stranger.call('PATCH', path, { name: 'Mine now' }),
      await stranger.call('DELETE', path),
      await stranger.call('POST', `${path}/rotate`, {}),
      await stranger.call('POST', `${path}/rotate/confirm`, { totp: '123456' }),
    ])
      expect(reply).toMatchObject({ status: 404 });
    expect(await deviceRow(phone.id)).toMatchObject({ name: 'Test phone', revoked_at: null });
  });

  test('that are revoked hear of it, and of the one that was bound a moment before', async () => {
    const { session } = await newPerson();
    const phone = testPhone(navbat.apiUrl);
    await phone.claim({ png: await enrol(session) }, { push_token: 'fcm-token-of-the-owner' });
    await phone.confirm();
    const thief = testPhone(navbat.apiUrl);
    await thief.claim({ png: await enrol(session) }, { push_token: 'fcm-token-of-a-thief' });
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
    const { session } = await newPerson();
    const phone = testPhone(navbat.apiUrl);
    await phone.claim({ png: await enrol(session) }, { push_token: 'fcm-token' });
    await phone.confirm();
    const { recipient_id } = await deviceRow(phone.id);
    expect(await asPerson(session)('DELETE', `/me/devices/${phone.id}`)).toMatchObject({ status: 204 });
    expect(await phone.call('GET', '/me/devices')).toMatchObject({ status: 401 });
    expect(await deviceRow(phone.id)).toMatchObject({
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
    expect(await deviceRow(phone.id)).toMatchObject({ recipient_id: null });
    expect(await noticesOf(phone.id)).toEqual(['device-bound', 'device-revoked']);
    expect(await asPerson(session)('DELETE', `/me/devices/${phone.id}`)).toMatchObject({ status: 404 });
  });
});

test('a session whose proof is five minutes old binds, revokes and rotates nothing', async () => {
  const { session } = await newPerson();
  const phone = await boundPhone(session);
  await navbat.db.query(
    `update session set authenticated_at = now() - interval '301 seconds' where id = any($1)`,
    [[session.session_id, phone.session.session_id]],
  );
  const person = asPerson(session);
  for (const reply of [
    await person('POST', '/me/enrolments', {}),
    await person('POST', '/me/authenticators', { name: 'App' }),
    await person('DELETE', `/me/devices/${phone.id}`),
    await phone.call('POST', `/me/devices/${phone.id}/rotate`, {}),
  ])
    expect(reply).toMatchObject({ status: 401 });
  expect(await person('GET', '/me/devices')).toMatchObject({ status: 200 });
});

test('a project’s session, and an app’s without a device, do not reach what is a device’s', async () => {
  const number = newNumber();
  const atShop = await signInByCode(navbat, shop, number);
  expect(await asPerson(atShop)('POST', '/me/enrolments', {})).toMatchObject({ status: 403 });
  expect(await asPerson(atShop)('GET', '/me/devices')).toMatchObject({ status: 403 });
  const { session } = await newPerson();
  expect(await asPerson(session)('POST', `/me/devices/${crypto.randomUUID()}/rotate`, {})).toMatchObject({
    status: 403,
  });
});

test('people of a test key have devices of their own', async () => {
  // A secret key, to which the codes of test keys are shown.
  const testApp = await platformApp(navbat, 'test', 'secret');
  const { number, session: live } = await newPerson();
  const { id } = (await testApp.call('POST', '/auth/code', { phone: number })).body;
  const { code } = (await testApp.call('GET', `/otp/${id}`)).body;
  const signedIn = await testApp.call('POST', '/auth/code/verify', { id, code });
  expect(signedIn).toMatchObject({ status: 200 });
  const phone = await boundPhone(signedIn.body);
  expect(await boundCount(signedIn.body)).toBe(1);
  expect(await boundCount(live)).toBe(0);
  const { rows } = await navbat.db.query('select mode from session where device_id = $1', [phone.id]);
  expect(rows).toEqual([{ mode: 'test' }]);
});

test('a new secret takes the place of the old one, whose codes are taken for 90 seconds more', async () => {
  const { session } = await newPerson();
  const phone = await boundPhone(session);
  const before = await deviceRow(phone.id);
  const oldSecret = phone.secret;
  expect(await phone.rotate()).toMatchObject({ status: 204 });
  expect(phone.secret).not.toBe(oldSecret);
  const after = await deviceRow(phone.id);
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
  expect((await deviceRow(phone.id)).totp_encrypted).toEqual(after.totp_encrypted);
});

test('the reconciler takes tokens that are over, devices that never proved themselves, and secrets that were replaced', async () => {
  const { session } = await newPerson();
  const kept = await boundPhone(session);
  await kept.rotate();
  const waiting = testPhone(navbat.apiUrl);
  await waiting.claim({ png: await enrol(session) });
  const { recipient_id } = await deviceRow(waiting.id);
  const retire = (now: Date) =>
    reconcilerQueries(navbat.db, { jobs, settles, retentions }).retire(now, { jobDays: 90, phoneDays: 30 });

  await retire(new Date(Date.now() + 60_000));
  expect(await deviceRow(waiting.id)).toBeDefined();
  expect((await deviceRow(kept.id)).totp_previous_encrypted).not.toBeNull();
  await retire(new Date(Date.now() + 301_000));
  expect(await deviceRow(waiting.id)).toBeUndefined();
  expect(await deviceRow(kept.id)).toMatchObject({ totp_previous_encrypted: null, revoked_at: null });
  const left = await navbat.db.query(
    'select id from recipient where id = $1 union all select null from enrolment where expires_at < now() + $2::interval',
    [recipient_id, '5 minutes'],
  );
  expect(left.rows).toEqual([]);
});
