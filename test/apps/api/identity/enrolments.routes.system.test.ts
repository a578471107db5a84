import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STRANGER_SENDS_PER_HOUR } from '../../../../domain/verify/strangers.ts';
import { asPerson, deviceRow, enrol, isNotKept, newPerson, startWithApp } from '../../../support/devices.ts';
import { type Navbat, type Reply, type TestProject, wrongCode } from '../../../support/navbat.ts';
import { testPhone } from '../../../support/phone.ts';
import { codeAfter, newNumber } from '../../../support/platform.ts';

let navbat: Navbat;
let app: TestProject;
let shop: TestProject;

beforeAll(async () => {
  ({ navbat, app } = await startWithApp());
  shop = await navbat.createProject({ settings: { display_name: 'Shop' } });
});
afterAll(() => navbat.stop());

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
    const [{ session }, other] = [await newPerson(navbat, app), await newPerson(navbat, app)];
    const elsewhere = (await asPerson(navbat, other.session)('POST', '/me/enrolments', {})).body.token;
    const [first, second] = await both(() => asPerson(navbat, session)('POST', '/me/enrolments', {}));
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
    expect(person_id).toBe((await deviceRow(navbat, phone.id)).person_id);
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
    expect((await deviceRow(navbat, phone.id)).bound_at).toBeNull();
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
    expect((await deviceRow(navbat, stranger.id)).bound_at).toBeNull();
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

describe('a token', () => {
  const OVER = { status: 410, body: { type: 'urn:navbat:problem:enrolment-over' } };

  test('is used once in 50 claims at the same moment', async () => {
    const { session } = await newPerson(navbat, app);
    const png = await enrol(navbat, session);
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => testPhone(navbat.apiUrl).claim({ png })),
    );
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 410)).toHaveLength(49);
  });

  test('that is unknown, used or expired is one answer', async () => {
    const { session } = await newPerson(navbat, app);
    const phone = testPhone(navbat.apiUrl);
    const used = await enrol(navbat, session);
    await phone.claim({ png: used });
    const expired = await enrol(navbat, session);
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
    const { session } = await newPerson(navbat, app);
    const phone = testPhone(navbat.apiUrl);
    await phone.claim({ png: await enrol(navbat, session) });
    await navbat.db.query('update device set confirm_until = now() where id = $1', [phone.id]);
    expect(await phone.confirm()).toMatchObject({ status: 404 });
  });
});
