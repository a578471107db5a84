import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  codeSentTo,
  type Navbat,
  startNavbat,
  type TestProject,
  wrongCode,
} from '../../../support/navbat.ts';

let navbat: Navbat;
let project: TestProject;
let nextPerson = 1_000;

beforeAll(async () => {
  navbat = await startNavbat({ env: { TELEGRAM_CHAT_GAP_MS: '1' } });
  project = await navbat.createProject({ scopes: ['register', 'otp', 'recipients'] });
});
afterAll(() => navbat.stop());

const INVALID = { status: 400, body: { detail: 'Invalid or expired code' } };
const phoneOf = (telegramId: number) => `+99890123${telegramId}`;

function newPerson() {
  const telegram_id = nextPerson++;
  return { telegram_id, phone_number: phoneOf(telegram_id) };
}
type Person = ReturnType<typeof newPerson>;

const register = (person: Person, key = project, headers = {}) =>
  key.call('POST', '/register', person, headers);
const verify = ({ telegram_id }: Person, verification_code: string, key = project) =>
  key.call('POST', '/verify', { telegram_id, verification_code });
const lastCode = ({ telegram_id }: Person) => codeSentTo(navbat, String(telegram_id));
const messagesTo = ({ telegram_id }: Person) => navbat.sandbox.inbox({ to: String(telegram_id) });

async function registered(person = newPerson()) {
  expect(await register(person)).toMatchObject({ status: 200 });
  return { person, code: await lastCode(person) };
}

async function rowOf({ telegram_id }: Person, projectId = project.id) {
  const { rows } = await navbat.db.query('select * from users where project_id = $1 and telegram_id = $2', [
    projectId,
    telegram_id,
  ]);
  return rows[0];
}

describe('the document’s own cases', () => {
  test('S4.40: the right phone and Telegram id are registered, and the code goes to the chat', async () => {
    const person = newPerson();
    const reply = await register(person);
    expect(reply).toMatchObject({ status: 200, body: { message: 'Verification code sent' } });
    const message = await navbat.sandbox.waitForMessage({ to: String(person.telegram_id) });
    expect(message).toMatchObject({
      channel: 'telegram',
      text: expect.stringMatching(/^Tasdiqlash kodingiz: \d{6}$/),
    });
    expect(await rowOf(person)).toMatchObject({
      id: expect.any(Number),
      telegram_id: String(person.telegram_id),
      phone_number: person.phone_number,
      phone_proof: 'none',
      is_verified: false,
    });
    const lifeMs = Date.parse(reply.body.expires_at) - Date.now();
    expect(lifeMs).toBeGreaterThan(50_000);
    expect(lifeMs).toBeLessThanOrEqual(60_000);
  });

  test('a number as Telegram gives it, without its plus, is taken; one with an extension is not', async () => {
    const telegram_id = nextPerson++;
    const phone_number = phoneOf(telegram_id);
    const bare = await project.call('POST', '/register', {
      telegram_id,
      phone_number: phone_number.slice(1),
    });
    expect(bare.status).toBe(200);
    expect(await rowOf({ telegram_id, phone_number })).toMatchObject({ phone_number });
    const extended = { telegram_id, phone_number: `${phone_number} ext. 12` };
    expect(await project.call('POST', '/register', extended)).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/phone_number', detail: expect.stringContaining('extension') }] },
    });
  });

  test('S4.41: the code, sent within a minute, verifies', async () => {
    const { person, code } = await registered();
    expect(await verify(person, code)).toMatchObject({
      status: 200,
      body: { message: 'User successfully verified' },
    });
    expect(await rowOf(person)).toMatchObject({ is_verified: true, phone_proof: 'none' });
  });

  test('S4.42: a wrong code and an expired one are the same 400', async () => {
    const { person, code } = await registered();
    const wrong = await verify(person, wrongCode(code));
    expect(wrong).toMatchObject(INVALID);
    expect(wrong.headers.get('content-type')).toContain('application/problem+json');
    await navbat.db.query(
      `update verification set expires_at = now() where id = (select verification_id from users where telegram_id = $1)`,
      [person.telegram_id],
    );
    const expired = await verify(person, code);
    expect(expired).toMatchObject(INVALID);
    expect(expired.body).toEqual(wrong.body);
    expect(await rowOf(person)).toMatchObject({ is_verified: false });
  });

  test('S4.43: whoever is verified is not verified again, and a second registration is refused', async () => {
    const { person, code } = await registered();
    await verify(person, code);
    expect(await verify(person, code)).toMatchObject(INVALID);
    expect(await register(person)).toMatchObject({
      status: 409,
      body: {
        type: 'urn:navbat:problem:already-verified',
        detail: 'This Telegram account is already verified.',
      },
    });
    expect(messagesTo(person)).toHaveLength(1);
  });

  test.each(['12345', '1234567', 'abcdef', '', ' ', '１２３４５６'])('%j is no code: 400', async (code) => {
    const { person } = await registered();
    expect(await verify(person, code)).toMatchObject(INVALID);
  });

  test('somebody who never registered: 400', async () => {
    expect(await verify(newPerson(), '123456')).toMatchObject(INVALID);
  });
});

describe('a second registration of somebody unverified', () => {
  test('is a new code at once, and the old one is worthless', async () => {
    const { person, code } = await registered();
    await register(person);
    await expect.poll(() => messagesTo(person).length).toBe(2);
    const second = await lastCode(person);
    expect(second).not.toBe(code);
    expect(await verify(person, code)).toMatchObject(INVALID);
    expect(await verify(person, second)).toMatchObject({ status: 200 });
  });

  test('adds no check: five wrong codes are all', async () => {
    const { person, code } = await registered();
    for (let n = 0; n < 4; n++) await verify(person, wrongCode(code));
    await register(person);
    await expect.poll(() => messagesTo(person).length).toBe(2);
    const second = await lastCode(person);
    await verify(person, wrongCode(second));
    expect(await verify(person, second)).toMatchObject(INVALID);
  });

  test('is held by the hourly limit, which says when to come back', async () => {
    const person = newPerson();
    for (let n = 0; n < 5; n++) expect(await register(person)).toMatchObject({ status: 200 });
    const sixth = await register(person);
    expect(sixth).toMatchObject({ status: 429, body: { type: 'urn:navbat:problem:too-many-sends' } });
    expect(Number(sixth.headers.get('Retry-After'))).toBeGreaterThan(3_500);
  });

  test('may name another phone, which is then the one', async () => {
    const { person } = await registered();
    const other = { ...person, phone_number: '+998931112233' };
    await register(other);
    await expect.poll(() => messagesTo(person).length).toBe(2);
    expect(await verify(person, await lastCode(person))).toMatchObject({ status: 200 });
    expect(await rowOf(person)).toMatchObject({ phone_number: other.phone_number, is_verified: true });
  });
});

test('a code that was used up before a crash verifies at the next ask', async () => {
  const { person, code } = await registered();
  const { rows } = await navbat.db.query('select verification_id id from users where telegram_id = $1', [
    person.telegram_id,
  ]);
  // As the api leaves it when it dies between the check and the confirmation.
  await navbat.db.query(`update verification set state = 'approved', closed_at = now() where id = $1`, [
    rows[0].id,
  ]);
  expect(await verify(person, code)).toMatchObject(INVALID);
  expect(await rowOf(person)).toMatchObject({ is_verified: true });
});

test('a mere claim of a phone changes nothing for whoever has it', async () => {
  const first = await registered();
  await verify(first.person, first.code);
  const before = await rowOf(first.person);
  const second = await registered({ telegram_id: nextPerson++, phone_number: first.person.phone_number });
  expect(await verify(second.person, second.code)).toMatchObject({ status: 200 });
  expect(await rowOf(first.person)).toEqual(before);
  expect(await rowOf(second.person)).toMatchObject({ is_verified: true, phone_proof: 'none' });
  // And codes to the phone reach neither chat.
  const { rows } = await navbat.db.query('select 1 from recipient where phone = $1', [
    first.person.phone_number,
  ]);
  expect(rows).toEqual([]);
});

test('a project knows its own people only', async () => {
  const { person, code } = await registered();
  const other = await navbat.createProject({ scopes: ['register'] });
  expect(await verify(person, code, other)).toMatchObject(INVALID);
  expect(await register(person, other)).toMatchObject({ status: 200 });
  expect(await rowOf(person, other.id)).toMatchObject({ is_verified: false });
  expect(await verify(person, code)).toMatchObject({ status: 200 });
});

test('a test key registers its own people: nothing is sent, and nobody live is touched', async () => {
  const { person, code } = await registered();
  const key = await navbat.createProject({ mode: 'test', scopes: ['register', 'otp'] });
  await navbat.db.query('update api_key set project_id = $1 where project_id = $2', [project.id, key.id]);
  const sent = messagesTo(person).length;
  const reply = await register(person, key);
  expect(reply).toMatchObject({ status: 200 });
  const timeline = await key.call('GET', reply.body.status_url);
  expect(await verify(person, timeline.body.code, key)).toMatchObject({ status: 200 });
  expect(messagesTo(person)).toHaveLength(sent);
  expect(await verify(person, code)).toMatchObject({ status: 200 });
});

describe('who may register (X16)', () => {
  let service: TestProject;
  let app: TestProject;
  beforeAll(async () => {
    service = await navbat.createProject({ scopes: ['otp', 'jobs', 'projects', 'recipients', 'public'] });
    app = await navbat.createProject({ access: 'publishable', scopes: ['public'] });
  });

  /** As Telegram's app hands it to a Mini App. */
  function initData(telegramId: number, ageSeconds = 0, token = navbat.env['TELEGRAM_BOT_TOKEN'] ?? '') {
    const fields = {
      auth_date: String(Math.floor(Date.now() / 1_000) - ageSeconds),
      query_id: `query-${nextPerson++}`,
      user: JSON.stringify({ id: telegramId, first_name: 'Aziza' }),
    };
    const text = Object.entries(fields)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n');
    const key = createHmac('sha256', 'WebAppData').update(token).digest();
    const hash = createHmac('sha256', key).update(text).digest('hex');
    return new URLSearchParams({ ...fields, hash }).toString();
  }
  const signed = (data: string) => ({ 'X-Telegram-Auth': data });

  test('a key without the scope may not', async () => {
    for (const key of [service, app]) {
      const person = newPerson();
      expect(await register(person, key)).toMatchObject({
        status: 403,
        body: { type: 'urn:navbat:problem:insufficient-scope' },
      });
      expect(await rowOf(person, key.id)).toBeUndefined();
    }
  });

  test('with what Telegram signed it may, for that account, and the app then verifies', async () => {
    for (const key of [service, app]) {
      const person = newPerson();
      const registered = await register(person, key, signed(initData(person.telegram_id)));
      expect(registered).toMatchObject({ status: 200 });
      const { check_token } = registered.body;
      expect(typeof check_token).toBe(key === app ? 'string' : 'undefined');
      const code = await lastCode(person);
      const typed = (more: object) =>
        key.call('POST', '/verify', { telegram_id: person.telegram_id, verification_code: code, ...more });
      // Whoever has an app's key, and not the token, uses up no check of it.
      const strangers = key === app ? 6 : 0;
      for (let n = 0; n < strangers; n++) {
        expect(await typed({})).toMatchObject({ status: 400 });
        expect(await typed({ check_token: 'of-nothing' })).toMatchObject(INVALID);
      }
      expect(await typed({ check_token })).toMatchObject({ status: 200 });
      expect(await rowOf(person, key.id)).toMatchObject({ is_verified: true, phone_proof: 'none' });
    }
  });

  test('in the body as well as in the header', async () => {
    const person = newPerson();
    const body = { ...person, telegram_auth: initData(person.telegram_id) };
    expect(await app.call('POST', '/register', body)).toMatchObject({ status: 200 });
  });

  test('once: the second use of a hash is refused', async () => {
    const person = newPerson();
    const data = initData(person.telegram_id);
    expect(await register(person, app, signed(data))).toMatchObject({ status: 200 });
    expect(await register(person, app, signed(data))).toMatchObject({ status: 403 });
    expect(await register(person, service, signed(data))).toMatchObject({ status: 403 });
  });

  test.each([
    ['of six minutes ago', (id: number) => initData(id, 360)],
    ['for somebody else', (id: number) => initData(id + 1)],
    ['by another bot', (id: number) => initData(id, 0, '1:other')],
    ['and changed since', (id: number) => initData(id).replace('Aziza', 'Jasur')],
    ['or nothing of the kind', () => 'hash=1'],
  ])('not with data signed %s', async (_what, dataOf) => {
    const person = newPerson();
    expect(await register(person, app, signed(dataOf(person.telegram_id)))).toMatchObject({ status: 403 });
    expect(await rowOf(person, app.id)).toBeUndefined();
  });
});

test('erasing the recipient of a phone erases whoever registered with it', async () => {
  const { person } = await registered();
  const put = await project.call('PUT', '/recipients', { phone: person.phone_number });
  expect(await project.call('DELETE', `/recipients/${put.body.id}`)).toMatchObject({ status: 204 });
  expect(await rowOf(person)).toBeUndefined();
});

test('erasing the recipient of a chat erases the registration', async () => {
  const { person } = await registered();
  const { body } = await project.call('GET', `/recipients?handle=telegram:${person.telegram_id}`);
  expect(await project.call('DELETE', `/recipients/${body.data[0].id}`)).toMatchObject({ status: 204 });
  expect(await rowOf(person)).toBeUndefined();
});
