import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asPerson } from '../../../support/devices.ts';
import { type Navbat, type Reply, type TestProject, until } from '../../../support/navbat.ts';
import { type PhoneSession, send } from '../../../support/phone.ts';
import { codeAfter, newNumber, signInByCode } from '../../../support/platform.ts';
import { listOf, problem, refresh, startWithShops, TOKENS, widgetOf } from '../../../support/sessions.ts';

const BOT_SLUG = 'school';

let navbat: Navbat;
let shop: TestProject;
let bank: TestProject;
let app: TestProject;
let nextTelegramId = 3_000;

beforeAll(async () => {
  ({ navbat, shop, bank, app } = await startWithShops({ BOT_PROJECT: BOT_SLUG }));
});
afterAll(() => navbat.stop());

describe('a session', () => {
  test('goes on with its refresh token, once', async () => {
    const session = await signInByCode(navbat, shop, newNumber());
    const next = await refresh(navbat, session.refresh_token);
    expect(next).toMatchObject({
      ...TOKENS,
      body: { ...TOKENS.body, sub: session.sub, session_id: session.session_id },
    });
    expect(next.headers.get('cache-control')).toBe('no-store');
    expect(await listOf(navbat, next.body)).toMatchObject({ status: 200 });
    // The time of the proof stays what it was.
    expect(decodeJwt(next.body.access_token)['auth_time']).toBe(decodeJwt(session.access_token)['auth_time']);
  });

  test('gives whoever asks again the same successor until that was used, fifty at once too', async () => {
    const session = await signInByCode(navbat, shop, newNumber());
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => refresh(navbat, session.refresh_token)),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    const tokens = new Set(replies.map(({ body }) => body.refresh_token));
    expect(tokens.size).toBe(1);
    expect(tokens).not.toContain(session.refresh_token);
    expect((await refresh(navbat, [...tokens][0])).status).toBe(200);
  });

  test('ends for all when a token is used again later', async () => {
    const session = await signInByCode(navbat, shop, newNumber());
    const next = (await refresh(navbat, session.refresh_token)).body;
    await navbat.db.query(`update session set refreshed_at = refreshed_at - interval '601 s' where id = $1`, [
      session.session_id,
    ]);
    expect(await refresh(navbat, session.refresh_token)).toMatchObject(problem(401, 'refresh-token-reused'));
    expect(await refresh(navbat, next.refresh_token)).toMatchObject(problem(401, 'refresh-token-reused'));
    for (const { access_token } of [session, next])
      expect(await listOf(navbat, { access_token })).toMatchObject(problem(401, 'unauthenticated'));
  });

  test('is nobody’s with a token that we never made', async () => {
    for (const text of ['', 'x', 'A'.repeat(70), 'A'.repeat(128)])
      expect(await refresh(navbat, text)).toMatchObject(problem(401, 'session-ended'));
    expect((await refresh(navbat, 'A'.repeat(129))).status).toBe(400);
  });

  test('is listed for its person, at one project or in Navbat’s app at all, page by page', async () => {
    const number = newNumber();
    const atShop = await signInByCode(navbat, shop, number);
    const atBank = await signInByCode(navbat, bank, number);
    const inApp = await signInByCode(navbat, app, number);
    const stranger = await signInByCode(navbat, shop, newNumber());
    const own = await listOf(navbat, atShop);
    expect(own.body.data).toEqual([
      {
        id: atShop.session_id,
        current: true,
        project: { id: shop.id, name: 'Shop' },
        method: 'code',
        device: null,
        user_agent: null,
        created_at: expect.any(String),
        last_used_at: expect.any(String),
        expires_at: expect.any(String),
      },
    ]);
    const ids = (reply: Reply) => reply.body.data.map(({ id }: { id: string }) => id);
    const first = await asPerson(navbat, inApp)('GET', '/auth/sessions?limit=2');
    expect(ids(first)).toEqual([inApp.session_id, atBank.session_id]);
    expect(first.body.data[1].user_agent).toBe('node');
    const rest = await asPerson(navbat, inApp)(
      'GET',
      `/auth/sessions?limit=2&cursor=${first.body.next_cursor}`,
    );
    expect(ids(rest)).toEqual([atShop.session_id]);
    expect(rest.body.next_cursor).toBeNull();
    expect(ids(await listOf(navbat, stranger))).toEqual([stranger.session_id]);
  });

  test('is ended by its person, who proved themselves a moment ago, and refused at once', async () => {
    const number = newNumber();
    const atShop = await signInByCode(navbat, shop, number);
    const atBank = await signInByCode(navbat, bank, number);
    const inApp = await signInByCode(navbat, app, number);
    const stranger = await signInByCode(navbat, shop, newNumber());
    const end = (by: PhoneSession, id: string) => asPerson(navbat, by)('DELETE', `/auth/sessions/${id}`);
    // Another's, another project's, and none at all read the same.
    for (const [by, id] of [
      [stranger, atShop.session_id],
      [atBank, atShop.session_id],
      [atBank, inApp.session_id],
      [inApp, stranger.session_id],
      [inApp, randomUUID()],
    ] as const)
      expect(await end(by, id)).toMatchObject(problem(404, 'not-found'));
    expect(await listOf(navbat, atShop)).toMatchObject({ status: 200 });

    expect(await end(inApp, atShop.session_id)).toMatchObject({ status: 204 });
    expect(await listOf(navbat, atShop)).toMatchObject(problem(401, 'unauthenticated'));
    expect(await refresh(navbat, atShop.refresh_token)).toMatchObject(problem(401, 'session-ended'));
    expect(await end(inApp, atShop.session_id)).toMatchObject({ status: 404 });

    await navbat.db.query(
      `update session set authenticated_at = authenticated_at - interval '301 s' where id = $1`,
      [inApp.session_id],
    );
    const late = await end(inApp, atBank.session_id);
    expect(late).toMatchObject(problem(401, 'unauthenticated'));
    expect(late.headers.get('www-authenticate')).toContain('insufficient_user_authentication');
    expect(await listOf(navbat, atBank)).toMatchObject({ status: 200 });
  });

  test('is ended by signing out, however old its proof', async () => {
    const session = await signInByCode(navbat, shop, newNumber());
    await navbat.db.query(`update session set authenticated_at = now() - interval '9 days' where id = $1`, [
      session.session_id,
    ]);
    expect(await asPerson(navbat, session)('POST', '/auth/sign-out')).toMatchObject({ status: 204 });
    expect(await listOf(navbat, session)).toMatchObject(problem(401, 'unauthenticated'));
    expect(await refresh(navbat, session.refresh_token)).toMatchObject(problem(401, 'session-ended'));
  });
});

test('a phone that another account proves at the bot ends its former holder’s sessions at once (X16)', async () => {
  await navbat.db.query('update project set slug = $2 where id = $1', [
    (await navbat.createProject()).id,
    BOT_SLUG,
  ]);
  await navbat.start('apps/bot/main.ts', [], 'bot ready');
  const number = newNumber();
  const [former, latter] = [nextTelegramId++, nextTelegramId++];
  await proveAtBot(former, number);
  const atShop = (
    await shop.call('POST', '/auth/telegram', widgetOf(navbat.env['TELEGRAM_BOT_TOKEN'] ?? '', former))
  ).body;
  const byCode = await signInByCode(navbat, bank, number);
  expect((await listOf(navbat, atShop)).status).toBe(200);
  // One person: the chat and the code that was sent to its phone.
  const { rows } = await navbat.db.query(
    'select count(distinct person_id)::int n from session where id = any($1)',
    [[atShop.session_id, byCode.session_id]],
  );
  expect(rows).toEqual([{ n: 1 }]);

  await proveAtBot(latter, number);
  for (const session of [atShop, byCode]) {
    expect(await listOf(navbat, session)).toMatchObject(problem(401, 'unauthenticated'));
    expect(await refresh(navbat, session.refresh_token)).toMatchObject(problem(401, 'session-ended'));
  }
  // Who comes with the phone now is somebody else, to every project.
  await navbat.db.query(`update destination set sent_at = '{}'`);
  expect((await signInByCode(navbat, bank, number)).sub).not.toBe(byCode.sub);
});

/** Registers at the bot with the contact of their own account. */
async function proveAtBot(telegramId: number, number: string): Promise<void> {
  const to = String(telegramId);
  const act = async (action: object) => {
    const { status } = await send(`${navbat.sandbox.url}/telegram/updates`, 'POST', {
      chat_id: telegramId,
      ...action,
    });
    expect(status).toBe(201);
  };
  await act({ text: '/start' });
  await until(async () => navbat.sandbox.inbox({ to }).length > 0);
  const code = await codeAfter(navbat, to, () =>
    act({ contact: { phone_number: number.slice(1), user_id: telegramId } }),
  );
  await act({ text: code });
  await until(async () => {
    const { rows } = await navbat.db.query('select 1 from users where telegram_id = $1 and is_verified', [
      to,
    ]);
    return rows.length > 0;
  });
}
