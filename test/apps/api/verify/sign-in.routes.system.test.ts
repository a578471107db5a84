import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAILURES_MAX } from '../../../../domain/shared/failed-attempt-limiter.ts';
import { personAndPhone } from '../../../support/approvals.ts';
import { type Navbat, type Reply, type TestProject, until, wrongCode } from '../../../support/navbat.ts';
import type { TestPhone } from '../../../support/phone.ts';
import { codeAfter, fromHome, newNumber, signInByCode } from '../../../support/platform.ts';
import { problem, refresh, startWithShops, statusesOf, TOKENS } from '../../../support/sessions.ts';

let navbat: Navbat;
let shop: TestProject;
let bank: TestProject;
let app: TestProject;
let nextTelegramId = 3_000;

beforeAll(async () => {
  ({ navbat, shop, bank, app } = await startWithShops());
});
afterAll(() => navbat.stop());

describe('a code', () => {
  test('proves a phone, and signs in once', async () => {
    const number = newNumber();
    let sent: Reply | undefined;
    const code = await codeAfter(navbat, number, async () => {
      sent = await bank.call('POST', '/auth/code', { phone: number }, fromHome());
    });
    expect(sent).toMatchObject({ status: 202, body: { channels: ['sms'], resend: false } });
    expect(Object.keys(sent?.body).toSorted()).toEqual([
      'channels',
      'check_token',
      'expires_at',
      'id',
      'resend',
    ]);
    const { id, check_token } = sent?.body ?? {};
    const verify = (typed: string, project = bank) =>
      project.call('POST', '/auth/code/verify', { id, code: typed, check_token });
    expect(await verify(wrongCode(code))).toMatchObject(problem(422, 'incorrect-code', { remaining: 4 }));
    expect(await verify(code, shop)).toMatchObject(problem(404, 'not-found'));
    const replies = await Promise.all(Array.from({ length: 4 }, () => verify(code)));
    expect(statusesOf(replies)).toEqual([200, 410, 410, 410]);
    const right = replies.find(({ status }) => status === 200);
    expect(right).toMatchObject(TOKENS);
    expect(right?.headers.get('cache-control')).toBe('no-store');
  });

  test('never goes where the project said: not by push, and to no chat', async () => {
    const project = await navbat.createProject({ settings: { channels: ['push', 'telegram', 'sms'] } });
    const number = newNumber();
    const chat = nextTelegramId++;
    await project.call('PUT', '/recipients', {
      phone: number,
      telegram_chat_id: chat,
      push_token: 'a'.repeat(60),
    });
    expect((await project.call('POST', '/auth/code', { phone: number })).body.channels).toEqual(['sms']);
    await navbat.sandbox.waitForMessage({ to: number });
    expect(navbat.sandbox.inbox({ to: String(chat) })).toEqual([]);
  });

  test('that a project sent to a chat of its own choice proves no phone, also when it was sent to the phone too', async () => {
    const number = newNumber();
    const chat = String(nextTelegramId++);
    await shop.call('PUT', '/recipients', { phone: number, telegram_chat_id: Number(chat) });
    const sent = await shop.call('POST', '/auth/code', { phone: number });
    await navbat.sandbox.waitForMessage({ to: number });
    await navbat.db.query(`update verification set sent_at = sent_at - interval '1 hour' where id = $1`, [
      sent.body.id,
    ]);
    const code = await codeAfter(navbat, chat, () =>
      shop.call('POST', `/otp/${sent.body.id}/resend`, { channels: ['telegram'] }),
    );
    await navbat.db.query(`update verification set sent_at = sent_at - interval '1 hour' where id = $1`, [
      sent.body.id,
    ]);
    // As it would look if the last message alone were asked.
    await codeAfter(navbat, number, () =>
      shop.call('POST', `/otp/${sent.body.id}/resend`, { channels: ['sms'] }),
    );
    const { rows } = await navbat.db.query('select channels from verification where id = $1', [sent.body.id]);
    expect(rows).toEqual([{ channels: ['sms'] }]);
    expect(await shop.call('POST', '/auth/code/verify', { id: sent.body.id, code })).toMatchObject(
      problem(422, 'phone-not-proven'),
    );
  });

  test('of a device proves no phone: not its person’s, and not one that their project says is theirs', async () => {
    const { number, phone } = await boundPhone();
    const claimed = newNumber();
    const { sub: recipient } = await signInByCode(navbat, shop, number);
    const typed = async (to: string) => {
      const sent = await shop.call('POST', '/otp/send', {
        to,
        channels: ['totp'],
        purpose: 'navbat.sign-in',
      });
      await navbat.db.query('update device set totp_last_step = null where id = $1', [phone.id]);
      return shop.call('POST', '/auth/code/verify', { id: sent.body.id, code: await phone.totp() });
    };
    expect((await typed(number)).status).toBe(422);
    await navbat.db.query('update recipient set handle = $1 where id = $1::uuid', [recipient]);
    const changed = await shop.call('PUT', '/recipients', { handle: recipient, phone: claimed });
    expect(changed).toMatchObject({ status: 200, body: { id: recipient, phone: claimed } });
    expect((await typed(claimed)).status).toBe(422);
    const { rowCount } = await navbat.db.query('select from person_phone where phone = $1', [claimed]);
    expect(rowCount).toBe(0);
  });

  test('of another purpose opens no session', async () => {
    const number = newNumber();
    let id = '';
    const code = await codeAfter(navbat, number, async () => {
      id = (await shop.call('POST', '/otp/send', { to: number, channels: ['sms'], purpose: 'login' })).body
        .id;
    });
    expect(await shop.call('POST', '/auth/code/verify', { id, code })).toMatchObject(
      problem(404, 'not-found'),
    );
  });
});

const boundPhone = () => personAndPhone(navbat, app);

describe('an approval on a device', () => {
  const ask = (to: string, project: TestProject, more: object = {}, from = fromHome()) =>
    project.call('POST', '/auth/approval', { to, ...more }, from);
  const poll = ({ body }: Reply, project: TestProject, more: object = {}) =>
    project.call('POST', '/auth/approval/token', { id: body.id, poll_token: body.poll_token, ...more });

  /** The person looks at what waits for them, and answers the newest. */
  /** Of several that wait, the one of `verificationId`: which the worker made last is a matter of chance. */
  async function answer(
    phone: TestPhone,
    decision: 'approve' | 'deny',
    number: string | null,
    verificationId?: string,
  ) {
    const waiting = await until(async () => {
      const { body } = await phone.call('GET', '/me/challenges');
      const { rows } = await navbat.db.query('select id from challenge where verification_id = $1', [
        verificationId,
      ]);
      return body.data.find(
        ({ id, state }: { id: string; state: string }) =>
          state === 'pending' && (verificationId === undefined || id === rows[0]?.id),
      );
    });
    const challenge = (await phone.call('GET', `/me/challenges/${waiting.id}`)).body;
    const { id, project, purpose, context, expires_at } = challenge;
    const statement = { challenge: id, project, purpose, context, decision, number, expires_at };
    const reply = await phone.call('POST', `/me/challenges/${id}/answer`, {
      decision,
      ...(number === null ? {} : { number }),
      signature: phone.sign('navbat-approval-v1', statement),
    });
    return { challenge, reply };
  }
  const ASKED = {
    status: 202,
    body: { number: expect.stringMatching(/^\d\d$/), poll_token: expect.stringMatching(/^[\w-]{64}$/) },
  };
  const PENDING = { status: 202, body: { status: 'pending' } };

  test('signs in whoever types the number, once', async () => {
    const { number, phone } = await boundPhone();
    const asked = await ask(number, bank, {}, { 'X-Forwarded-For': '198.51.100.8' });
    expect(asked).toMatchObject(ASKED);
    expect(Object.keys(asked.body).toSorted()).toEqual(['expires_at', 'id', 'number', 'poll_token']);
    expect(await poll(asked, bank)).toMatchObject(PENDING);
    const { challenge, reply } = await answer(phone, 'approve', asked.body.number);
    expect(reply).toMatchObject({ status: 200 });
    // They saw who asks, what for, and from where.
    expect(challenge).toMatchObject({
      project: { id: bank.id },
      purpose: 'navbat.approval',
      context: { client: { ip: '198.51.100.8', user_agent: 'node' } },
    });
    const replies = await Promise.all(Array.from({ length: 10 }, () => poll(asked, bank)));
    for (const each of replies) expect(each).toMatchObject(TOKENS);
    const [first] = replies;
    expect(new Set(replies.map(({ body }) => body.refresh_token)).size).toBe(1);
    expect(decodeJwt(first?.body.access_token)).toMatchObject({ aud: bank.id, amr: ['swk', 'user'] });
    await refresh(navbat, first?.body.refresh_token);
    expect(await poll(asked, bank)).toMatchObject(problem(410, 'approval-closed'));
    // The sub of a first sign-in serves for the next.
    await navbat.db.query(`update destination set sent_at = '{}'`);
    expect(await ask(first?.body.sub, bank)).toMatchObject(ASKED);
    expect(await ask(first?.body.sub, shop)).toMatchObject(problem(404, 'unknown-recipient'));
  });

  test('says nothing of who is there: nobody, a person without a device, and one who has not answered are alike', async () => {
    const { number } = await boundPhone();
    const withoutDevice = newNumber();
    await signInByCode(navbat, bank, withoutDevice);
    const replies = await Promise.all([number, withoutDevice, newNumber()].map((to) => ask(to, shop)));
    for (const asked of replies) {
      expect(asked).toMatchObject(ASKED);
      expect(await poll(asked, shop)).toMatchObject(PENDING);
    }
    expect(new Set(replies.map(({ body }) => Object.keys(body).toSorted().join())).size).toBe(1);
  });

  test('is fetched by whoever asked for it, and by nobody else', async () => {
    const { number, phone } = await boundPhone();
    const asked = await ask(number, shop);
    expect((await answer(phone, 'approve', asked.body.number)).reply).toMatchObject({ status: 200 });
    const unknown = problem(404, 'not-found');
    expect(await poll(asked, bank)).toMatchObject(unknown);
    const other = await ask(newNumber(), shop);
    expect(await poll(asked, shop, { poll_token: other.body.poll_token })).toMatchObject(unknown);
    expect(await poll(asked, shop, { poll_token: '' })).toMatchObject(unknown);
    expect(await poll(asked, shop, { id: randomUUID() })).toMatchObject(unknown);
    expect(await poll(asked, shop)).toMatchObject(TOKENS);
  });

  test('is not fetched by who asked for the same person before or after', async () => {
    const { number, phone } = await boundPhone();
    const before = await ask(number, bank);
    const asked = await ask(number, bank);
    const after = await ask(number, bank);
    expect(new Set([before, asked, after].map(({ body }) => body.id)).size).toBe(3);
    // Whoever asked last has ended none of the others.
    for (const one of [before, asked, after]) expect(await poll(one, bank)).toMatchObject(PENDING);
    await until(async () => (await phone.call('GET', '/me/challenges')).body.data.length === 3);
    expect((await answer(phone, 'approve', after.body.number, after.body.id)).reply).toMatchObject({
      status: 200,
    });
    expect(await poll(before, bank)).toMatchObject(PENDING);
    expect(await poll(asked, bank)).toMatchObject(PENDING);
    // Neither serves with the other's id, nor for another verification.
    expect(await poll(after, bank, { id: asked.body.id })).toMatchObject(problem(404, 'not-found'));
  });

  test('is shown with the address that an app calls from, whatever it says', async () => {
    const { number, phone } = await boundPhone();
    const said = { client: { ip: '203.0.113.99', user_agent: 'the browser of somebody else' } };
    const from = { 'X-Forwarded-For': '198.51.100.7' };
    await ask(number, bank, said, from);
    const ofAnApp = await answer(phone, 'deny', null);
    expect(ofAnApp.challenge.context.client).toEqual({ ip: '198.51.100.7', user_agent: 'node' });
    await ask(number, shop, said);
    expect((await answer(phone, 'deny', null)).challenge.context.client).toEqual(said.client);
  });

  test('that was denied signs nobody in, and says so to a project that knows them', async () => {
    const stranger = await boundPhone();
    const unknown = await ask(stranger.number, shop);
    expect((await answer(stranger.phone, 'deny', null)).reply).toMatchObject({ status: 200 });
    expect(await poll(unknown, shop)).toMatchObject(PENDING);
    const { number, phone } = await boundPhone();
    await signInByCode(navbat, shop, number);
    const known = await ask(number, shop);
    expect((await answer(phone, 'deny', null)).reply).toMatchObject({ status: 200 });
    expect(await poll(known, shop)).toMatchObject(problem(403, 'approval-denied'));
    // Of the very same answer, a key that anybody may have learns nothing.
    const app = await navbat.createProject({ access: 'publishable', scopes: ['public'] });
    await navbat.db.query('update api_key set project_id = $1 where project_id = $2', [shop.id, app.id]);
    expect(await poll(known, app)).toMatchObject(PENDING);
    await navbat.db.query('update verification set expires_at = now() where id = $1', [known.body.id]);
    expect(await poll(known, app)).toMatchObject(problem(410, 'approval-closed'));
  });

  test('that was denied is, to an app, as one that nobody answered: now, asked again, and when it is over', async () => {
    const { number, phone } = await boundPhone();
    await signInByCode(navbat, bank, number);
    const stranger = newNumber();
    const [denied, silent] = [await ask(number, bank), await ask(stranger, bank)];
    const { challenge, reply } = await answer(phone, 'deny', null);
    expect(reply).toMatchObject({ status: 200 });
    const { rows } = await navbat.db.query('select state from challenge where id = $1', [challenge.id]);
    expect(rows).toEqual([{ state: 'denied' }]);
    const sees = async (asked: Reply, to: string) => {
      const seen = [await poll(asked, bank), await ask(to, bank)];
      await navbat.db.query('update verification set expires_at = now() where id = $1', [asked.body.id]);
      return [...seen, await poll(asked, bank)].map(({ status, body }) => [status, body.type ?? body.status]);
    };
    const nobody = await sees(silent, stranger);
    expect(nobody).toEqual([
      [202, 'pending'],
      // Another asker's: whatever was asked before, it says the same.
      [202, undefined],
      [410, 'urn:navbat:problem:approval-closed'],
    ]);
    expect(await sees(denied, number)).toEqual(nobody);
  });

  test('with a wrong number signs nobody in', async () => {
    const { number, phone } = await boundPhone();
    const asked = await ask(number, shop);
    await answer(phone, 'approve', wrongCode(asked.body.number));
    expect(await poll(asked, shop)).toMatchObject(PENDING);
  });

  test('is fetched within five minutes, and asked for while it lives', async () => {
    const { number, phone } = await boundPhone();
    const [asked, silent] = [await ask(number, shop), await ask(newNumber(), shop)];
    expect((await answer(phone, 'approve', asked.body.number)).reply).toMatchObject({ status: 200 });
    await navbat.db.query(`update verification set closed_at = closed_at - interval '300 s' where id = $1`, [
      asked.body.id,
    ]);
    expect(await poll(asked, shop)).toMatchObject(problem(410, 'approval-closed'));
    await navbat.db.query(`update verification set expires_at = now() where id = $1`, [silent.body.id]);
    expect(await poll(silent, shop)).toMatchObject(problem(410, 'approval-closed'));
  });

  /** Approves by a code that the project sends to the phone instead. */
  async function approveByCode(asked: Reply, number: string) {
    const { id } = asked.body;
    await navbat.db.query(`update verification set sent_at = sent_at - interval '1 hour' where id = $1`, [
      id,
    ]);
    const code = await codeAfter(navbat, number, () =>
      shop.call('POST', `/otp/${id}/resend`, { channels: ['sms'] }),
    );
    expect(await shop.call('POST', '/otp/verify', { id, code })).toMatchObject({ status: 200 });
  }

  test('is not a code that was right on another channel, also after a number that was wrong', async () => {
    const { number, phone } = await boundPhone();
    for (const to of [newNumber(), number]) {
      const asked = await ask(to, shop);
      if (to === number) await answer(phone, 'approve', wrongCode(asked.body.number));
      await approveByCode(asked, to);
      expect(await poll(asked, shop)).toMatchObject(problem(410, 'approval-closed'));
    }
  });

  test('is not for test keys, whose people have no devices', async () => {
    const testKey = await navbat.createProject({ mode: 'test' });
    expect(await ask(newNumber(), testKey)).toMatchObject(problem(403, 'live-key-required'));
  });
});

// Last, as it uses up what this address may guess.
test('who guesses at codes with an app’s key is counted by where they call from, whatever they say', async () => {
  const guess = (n: number) =>
    bank.call('POST', '/auth/code/verify', {
      id: randomUUID(),
      check_token: 'of-nothing',
      code: '123456',
      client: { ip: `198.51.100.${n}` },
    });
  await Promise.all(Array.from({ length: FAILURES_MAX.client }, (_, n) => guess(n)));
  expect(await guess(250)).toMatchObject(problem(429, 'too-many-failures'));

  // Whoever has one address of IPv6 has 2^64 of them.
  const nextDoor = (n: number) =>
    shop.call('POST', '/auth/code/verify', {
      id: randomUUID(),
      code: '123456',
      client: { ip: `2001:db8:0:1::${n.toString(16)}` },
    });
  await Promise.all(Array.from({ length: FAILURES_MAX.client }, (_, n) => nextDoor(n)));
  expect(await nextDoor(250)).toMatchObject(problem(429, 'too-many-failures'));
});
