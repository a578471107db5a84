import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Wake } from '../../../domain/job/wake.ts';
import { LINK_SMS_A_DAY } from '../../../domain/pay/link/sms-limit.ts';
import type { PayoutId } from '../../../domain/pay/ids.ts';
import { linkAgain } from '../../../infra/postgres/pay/list/links.ts';
import { payOps } from '../../../infra/postgres/pay/ops-view.ts';
import { telegramChats } from '../../../infra/postgres/telegram/chats.ts';
import { newLinkToken } from '../../../infra/pay/link-token.ts';
import { findLeaks, redisText, tablesText } from '../../support/leaks.ts';
import { DAY_MS, HOUR_MS, openLinkWorld } from './link-world.ts';

let world: Awaited<ReturnType<typeof openLinkWorld>>;
let wake: Wake;
beforeAll(async () => {
  world = await openLinkWorld();
  wake = await world.worker();
});
beforeEach(() => world.clear());
afterAll(() => world.close());

const linkOf = async ({ read }: Awaited<ReturnType<typeof world.payee>>) => (await read())?.link;
const send = async (by = wake) => {
  await world.tick()();
  await world.drain(by);
};

test('a payee with a chat is sent one link by the bot, which works', async () => {
  const payee = await world.payee({ hasChat: true });
  expect(await world.tick()()).toBe(2_000);
  await send();
  const [token = '', ...more] = world.linksTo(payee.chat ?? '');
  expect(more).toEqual([]);
  expect(world.sandbox.inbox({ to: payee.phone })).toEqual([]);
  expect(await world.stateOf(token)).toBe('live');
  expect(await linkOf(payee)).toMatchObject({
    channel: 'telegram',
    sentAt: expect.any(Date),
    failedAt: null,
  });
});

test('a payee without a chat is sent one by SMS, of one part, with its price on the attempt', async () => {
  const payee = await world.payee();
  await send();
  const [sms, ...more] = world.sandbox.inbox({ to: payee.phone });
  expect(more).toEqual([]);
  expect(sms).toMatchObject({ channel: 'sms', provider: 'eskiz', from: '4546' });
  expect(sms?.text).toMatch(/^\S+: sizga to'lov bor\. Kartangizni bog'lang: https:/);
  expect(await world.stateOf(world.linksTo(payee.phone)[0] ?? '')).toBe('live');
  expect(await linkOf(payee)).toMatchObject({ channel: 'sms', sentAt: expect.any(Date) });
  const { rows } = await world.pool.query(
    `select a.cost_micros > 0 is_paid, a.provider_reference is not null has_reference from attempt a
     join payout_link l on l.job_id = a.job_id where l.payout_id = $1`,
    [payee.id],
  );
  expect(rows).toEqual([{ is_paid: true, has_reference: true }]);
});

test('a chat that blocked the bot gets nothing, and its person an SMS', async () => {
  const payee = await world.payee({ hasChat: true });
  world.sandbox.orderFaults({ effect: 'reject', channel: 'telegram', to: payee.chat ?? '', code: 'blocked' });
  await send();
  expect(world.linksTo(payee.phone)).toHaveLength(1);
  expect(await world.attempts(payee.id)).toEqual([
    { channel: 'telegram', provider: 'telegram-bot', outcome: 'failed', reason: 'bot-blocked' },
    { channel: 'sms', provider: 'eskiz', outcome: 'completed', reason: null },
  ]);
  expect(await linkOf(payee)).toMatchObject({ channel: 'sms' });
});

test('a chat that was closed before is not asked at all, and its person gets an SMS', async () => {
  const payee = await world.payee({ hasChat: true });
  await telegramChats(world.pool).close(payee.chat ?? '', 'bot-blocked', world.now(), world.now());
  await send();
  expect(world.linksTo(payee.phone)).toHaveLength(1);
  expect(await world.attempts(payee.id)).toMatchObject([{ channel: 'sms', outcome: 'completed' }]);
});

test('the token stands nowhere but encrypted until it is sent, and then as a hash alone', async () => {
  const payees = [await world.payee({ hasChat: true }), await world.payee()];
  const secrets: { name: string; value: string }[] = [];
  const newToken = () => {
    const value = newLinkToken();
    secrets.push({ name: `token ${secrets.length}`, value });
    return value;
  };
  const leaks = async () =>
    findLeaks(
      [
        { name: 'Postgres', text: await tablesText(world.owner) },
        { name: 'Redis', text: await redisText(world.redisUrl) },
        { name: 'log', text: world.lines.join('\n') },
      ],
      secrets,
    );
  const encrypted = async () =>
    (
      await world.pool.query<{ n: number }>(
        'select count(token_encrypted)::int n from payout_link where payout_id = any ($1)',
        [payees.map(({ id }) => id)],
      )
    ).rows[0]?.n;
  await world.tick({ newToken })();
  expect(secrets).toHaveLength(2);
  expect([await encrypted(), await leaks()]).toEqual([2, []]);
  await world.drain(wake);
  expect([await encrypted(), await leaks()]).toEqual([0, []]);
  const heard = payees.flatMap(({ chat, phone }) => world.linksTo(chat ?? phone));
  expect(heard.toSorted()).toEqual(secrets.map(({ value }) => value).toSorted());
  expect(world.lines.join('\n')).toContain('payout-link');
});

test('of several ticks and several workers at once each payee gets one message', async () => {
  const payees = await Promise.all(
    Array.from({ length: 8 }, (_, n) => world.payee({ hasChat: n % 2 === 0 })),
  );
  await Promise.all([world.tick()(), world.tick()(), world.tick()()]);
  const wakes = await Promise.all([world.worker(), world.worker()]);
  const ids = await world.openJobs();
  expect(ids).toHaveLength(payees.length);
  const signal = new AbortController().signal;
  await Promise.all([wake, ...wakes].flatMap((by) => ids.map((id) => by(id, signal))));
  await world.drain(wake);
  await send();
  const heard = payees.map(({ chat, phone }) => [
    chat ? world.linksTo(chat).length : 0,
    world.linksTo(phone).length,
  ]);
  expect(heard).toEqual(payees.map(({ chat }) => (chat ? [1, 0] : [0, 1])));
});

test('a process that dies between the link and its SMS loses nothing: the next worker sends it, once', async () => {
  const payee = await world.payee();
  await world.tick()();
  // Nobody is there who would send it: link and job are one commit.
  expect(world.sandbox.inbox({ to: payee.phone })).toEqual([]);
  await world.forward(HOUR_MS);
  await world.tick()();
  expect(await world.openJobs()).toHaveLength(1);
  await world.drain(wake);
  expect(world.linksTo(payee.phone)).toHaveLength(1);
});

/** A worker opened its attempt and was killed: nobody knows whether the message left. */
const killed = async (payout: string, channel: string, provider: string) => {
  await world.owner.query(
    `with j as (
       update job set attempts = 1, state = 'running' where id = (select job_id from payout_link where payout_id = $1) returning id, project_id)
     insert into attempt (job_id, n, project_id, channel, provider, opened_at) select id, 1, project_id, $2, $3, $4 from j`,
    [payout, channel, provider, world.now()],
  );
  await world.forward(60_000);
};

test('an SMS that may have left before its worker was killed is not sent again: it counts as sent, and is reminded', async () => {
  const payee = await world.payee();
  await world.tick()();
  await killed(payee.id, 'sms', 'eskiz');
  await world.drain(wake);
  expect(world.sandbox.inbox({ to: payee.phone })).toEqual([]);
  expect(await linkOf(payee)).toMatchObject({ channel: 'sms', sentAt: expect.any(Date) });
  expect(await world.attempts(payee.id)).toMatchObject([{ outcome: 'unknown', reason: 'worker-lost' }]);
  await world.forward(3 * DAY_MS + HOUR_MS);
  await send();
  expect(world.linksTo(payee.phone)).toHaveLength(1);
});

test('a message of the bot that may have left is sent once more', async () => {
  const payee = await world.payee({ hasChat: true });
  await world.tick()();
  await killed(payee.id, 'telegram', 'telegram-bot');
  await world.drain(wake);
  expect(world.linksTo(payee.chat ?? '')).toHaveLength(1);
});

test('it is reminded after three days, once, by either way, and the link before says that there is a newer one', async () => {
  const payees = [await world.payee({ hasChat: true }), await world.payee()];
  await send();
  await world.forward(3 * DAY_MS - HOUR_MS);
  await send();
  expect(payees.map(({ chat, phone }) => world.linksTo(chat ?? phone).length)).toEqual([1, 1]);
  await world.forward(2 * HOUR_MS);
  await send();
  await world.forward(7 * DAY_MS);
  await send();
  for (const { chat, phone } of payees) {
    const tokens = world.linksTo(chat ?? phone);
    expect(await Promise.all(tokens.map(world.stateOf))).toEqual(['replaced', 'live']);
  }
  const said = world.sandbox.inbox({ to: payees[0]?.chat ?? '' }).map(({ text }) => text);
  expect(said.filter((text) => text.startsWith('Eslatma: '))).toHaveLength(1);
});

test('without SMS a payee who comes to the bot later gets the link then, within one round', async () => {
  const payee = await world.payee();
  const without = await world.worker('message', 'pay');
  await send(without);
  expect(world.sandbox.inbox({ to: payee.phone })).toEqual([]);
  expect(await linkOf(payee)).toMatchObject({ channel: null, sentAt: null, failedAt: expect.any(Date) });
  expect(await world.lists.find(payee.list)).toMatchObject({
    links: { unreachable: 1, waiting: 0, sent: 0 },
  });
  await send(without);
  expect(await world.openJobs()).toEqual([]);

  // Somebody else comes to the bot, which changes nothing.
  await world.join('+998935550001');
  await world.tick()();
  expect(await world.openJobs()).toEqual([]);

  const chat = await world.join(payee.phone);
  await Promise.all([world.tick()(), world.tick()()]);
  expect(await world.openJobs()).toHaveLength(1);
  await world.drain(without);
  const [token = '', ...more] = world.linksTo(chat);
  expect(more).toEqual([]);
  expect(await world.stateOf(token)).toBe('live');
  expect(await world.lists.find(payee.list)).toMatchObject({
    links: { unreachable: 0, waiting: 0, sent: 1 },
  });
});

test('what reached nobody is tried again a day later', async () => {
  const payee = await world.payee();
  await send(await world.worker('message', 'pay'));
  await world.forward(DAY_MS - HOUR_MS);
  await send();
  expect(world.linksTo(payee.phone)).toEqual([]);
  await world.forward(2 * HOUR_MS);
  await send();
  expect(world.linksTo(payee.phone)).toHaveLength(1);
});

test('a project whose day of SMS is used up is told so, with an alarm; a day later the link comes by itself', async () => {
  const spent = await world.payee();
  const { id: last, phone, read } = await world.payee();
  const other = await world.payee();
  await world.owner.query(
    `insert into payout_link_sms_day (funder, day, links)
     select p.funder, (navbat_now() at time zone 'Asia/Tashkent')::date, case p.id when $1 then $3::int else $3::int - 1 end from payout p where p.id in ($1, $2)`,
    [spent.id, last, LINK_SMS_A_DAY],
  );
  const alarms = async () =>
    (await payOps.alarms(world.pool, world.now())).filter(({ alarm }) => alarm === 'link-sms-spent').length;
  expect(await alarms()).toBe(1);
  await world.tick()();
  // However often it is tried it is counted once.
  world.sandbox.orderFaults({ effect: 'rate-limit', channel: 'sms', to: phone, times: 1 });
  await world.drain(wake);
  expect(world.linksTo(spent.phone)).toEqual([]);
  expect(await linkOf(spent)).toMatchObject({
    channel: null,
    failedAt: expect.any(Date),
    reason: 'link-sms-spent',
  });
  expect(await linkOf({ ...spent, read })).toMatchObject({ channel: 'sms', failedAt: null });
  expect(world.linksTo(other.phone)).toHaveLength(1);
  expect(await alarms()).toBe(2);
  await world.forward(DAY_MS + HOUR_MS);
  await send();
  expect(world.linksTo(spent.phone)).toHaveLength(1);
  expect(await alarms()).toBe(0);
});

test('an SMS that its provider could not deliver is sent again a day later', async () => {
  const payee = await world.payee();
  await send();
  await world.owner.query(
    `update attempt set delivery = 'failed', delivery_at = now() where job_id = (select job_id from payout_link where payout_id = $1)`,
    [payee.id],
  );
  expect(await world.lists.find(payee.list)).toMatchObject({ links: { unreachable: 1, sent: 0 } });
  await world.forward(DAY_MS + HOUR_MS);
  await send();
  expect(world.linksTo(payee.phone)).toHaveLength(2);
});

test('nothing goes to who has the phone of another payee now, nor for what was cancelled or is too old', async () => {
  const moved = await world.payee({ hasChat: true });
  const thief = await world.personOf('+998930000001');
  await world.pool.query(
    `insert into person_chat (mode, telegram_id, person_id, proven_at) values ('live', 6000000, $1, now())`,
    [thief],
  );
  await world.pool.query('update person_phone set person_id = $2 where phone = $1', [moved.phone, thief]);
  const cancelled = await world.payee();
  await world.tick()();
  await world.owner.query(`select payout_cancel_now($1, 'asked', 'staff:x')`, [cancelled.id]);
  await world.drain(wake);
  const late = await world.payee();
  await world.forward(14 * DAY_MS + HOUR_MS);
  await send();
  const heard = [moved.phone, moved.chat ?? '', '6000000', cancelled.phone, late.phone].flatMap(
    world.linksTo,
  );
  expect(heard).toEqual([]);
});

test('an SMS whose text the provider does not send goes nowhere, and the payee counts as one who is not reached', async () => {
  const payee = await world.payee();
  world.sandbox.orderFaults({
    effect: 'reject',
    channel: 'sms',
    provider: 'eskiz',
    code: 'text-not-moderated',
    times: 2,
  });
  await send();
  expect(world.linksTo(payee.phone)).toEqual([]);
  expect(await linkOf(payee)).toMatchObject({ sentAt: null, failedAt: expect.any(Date) });
  expect(await world.attempts(payee.id)).toMatchObject([
    { outcome: 'failed', reason: 'text-not-moderated' },
    { outcome: 'failed', reason: 'text-not-moderated' },
  ]);
});

test('one whose time is over while its queue stood still forgets its token', async () => {
  const payee = await world.payee();
  await world.tick()();
  await world.forward(14 * DAY_MS + HOUR_MS);
  await world.reconciler.expire(world.now());
  expect(await world.openJobs()).toEqual([]);
  const { rows } = await world.pool.query(
    'select token_encrypted, sent_at, failed_at is not null failed from payout_link where payout_id = $1',
    [payee.id],
  );
  expect(rows).toEqual([{ token_encrypted: null, sent_at: null, failed: true }]);
});

test('finance sends it again, to the phone of the payout: once an hour, three times, and written down', async () => {
  const payee = await world.payee();
  const again = (staffId = world.staffId) =>
    linkAgain({
      pool: world.pool,
      hash: world.hash,
      encryption: world.rowEncryption,
      book: world.projectId,
    })(payee.id as PayoutId, staffId, newLinkToken());
  await world.tick()();
  expect(await again()).toBe('on-its-way');
  await world.drain(wake);
  expect(await again(await world.staff('operator'))).toEqual({ kind: 'role' });
  expect((await Promise.all([again(), again()])).toSorted()).toEqual(['made', 'on-its-way']);
  await world.drain(wake);
  expect(await again()).toBe('too-soon');
  for (const end of ['made', 'made', 'too-many']) {
    await world.forward(HOUR_MS + 1_000);
    expect(await again()).toBe(end);
    await world.drain(wake);
  }
  const tokens = world.linksTo(payee.phone);
  expect(await Promise.all(tokens.map(world.stateOf))).toEqual(['replaced', 'replaced', 'replaced', 'live']);
  const { rows } = await world.pool.query(
    `select distinct staff_id, count(*)::int n from payout_action where subject = $1 and action = 'link-again' group by 1`,
    [payee.id],
  );
  expect(rows).toEqual([{ staff_id: world.staffId, n: 3 }]);
  // It may still be reminded.
  await world.forward(3 * DAY_MS + HOUR_MS);
  await send();
  expect(world.linksTo(payee.phone)).toHaveLength(5);
  await world.owner.query(`select payout_cancel_now($1, 'asked', 'staff:x')`, [payee.id]);
  expect(await again()).toBe('not-waiting');
});
