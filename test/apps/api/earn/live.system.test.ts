import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { SUBSCRIBERS_PER_PERSON_MAX } from '../../../../apps/api/earn/live/subscribers.ts';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { dayAfter, tashkentDay } from '../../../../domain/pay/ledger/head.ts';
import { freePort } from '../../../../infra/embedded/port.ts';
import { keyedHash } from '../../../../infra/process/crypto.ts';
import { openStream } from '../../../support/event-stream.ts';
import { eventually } from '../../../support/eventually.ts';
import { stopProcess } from '../../../support/navbat.ts';
import { openSession } from '../../../rules/policy/person-objects.ts';
import { makeStaff } from '../../../rules/policy/roles.ts';
import { makeProject, type World } from '../../../rules/policy/world.ts';
import { bookOf } from '../../../infra/postgres/pay/posting.ts';
import { openEarners } from '../pay/earner.ts';

/** Two apis and a worker: each api looks for itself. */
let world: Awaited<ReturnType<typeof openEarners>>;
let policy: World;
let urls: readonly [string, string];
beforeAll(async () => {
  world = await openEarners(['api', 'worker'], {
    NAVBAT_PRODUCTS: 'verify,message,pay,earn',
    MONEY_PROJECT: PLATFORM_PROJECT_ID,
  });
  policy = { ...world.navbat, hash: keyedHash(world.navbat.env['PEPPER'] ?? '') } as unknown as World;
  urls = [world.navbat.apiUrl, (await startApi()).url];
});
afterAll(() => world?.navbat.stop());

async function startApi() {
  const port = await freePort();
  const child = await world.navbat.start('apps/api/main.ts', [], 'api ready', { API_PORT: String(port) });
  return { child, url: `http://127.0.0.1:${port}` };
}

interface Message {
  readonly id?: string;
  readonly event: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read what they expect, and fail where it is not.
  readonly data: any;
}

/** A client of `/ws`. */
async function dial(url: string, token: string, lastId?: string) {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  onTestFinished(() => ws.terminate());
  const messages: Message[] = [];
  ws.on('message', (data) => messages.push(JSON.parse(String(data as Buffer)) as Message));
  const closed = once(ws, 'close').then(([code, reason]) => [code, String(reason)] as const);
  await once(ws, 'open');
  ws.send(JSON.stringify({ token, ...(lastId === undefined ? {} : { last_id: lastId }) }));
  return { ws, messages, closed, newest: (event: string) => newest(messages, event) };
}

const newest = (all: readonly Message[], event: string) =>
  all.findLast((one) => one.event === event)?.data as Message['data'];

/** Both ways at both processes, all of one person. */
async function followAll(token: string) {
  const streams = await Promise.all(urls.map((url) => openStream(`${url}/api/events`, token)));
  const sockets = await Promise.all(urls.map((url) => dial(url, token)));
  const all: readonly (readonly Message[])[] = [
    ...streams.map(({ events }) => events),
    ...sockets.map(({ messages }) => messages),
  ];
  /** Until each of them has heard it last. */
  const heard = (event: string, data: object) =>
    eventually(() => {
      for (const one of all) expect(newest(one, event)).toMatchObject(data);
    });
  return { all, heard };
}

const sessionOf = async (who: Awaited<ReturnType<typeof world.earner>>) => openSession(policy, who.owner);

test('a person hears of a price, bytes, the close of a day and a withdrawal, both ways and at each process', async () => {
  const who = await world.earner();
  const { token } = await sessionOf(who);
  const { all, heard } = await followAll(token);
  await heard('balance', { available: '10000000', held: '0', receivable: '0', currency: 'UZS' });
  await heard('session', { sessions: [] });
  await heard('price', { day: null, tiyin_per_mb: null, carried: false });
  await heard('withdrawal', { withdrawals: [] });

  const { db } = world.navbat;
  const today = tashkentDay(new Date());
  const staff = await makeStaff(policy, 'finance');
  await db.query('select price_ask($1, $2, 100, $3)', [PLATFORM_PROJECT_ID, today, staff]);
  await heard('price', { day: today, tiyin_per_mb: 100, carried: false });

  const started = await who.call('POST', '/api/traffic/start', { body: { installation_id: randomUUID() } });
  const { session_id } = started.body;
  await heard('session', { sessions: [{ id: session_id, reports: 0, bytes: 0 }] });
  const report = {
    session_id,
    seq: 0,
    measured_at: new Date().toISOString(),
    bytes_up: 0,
    bytes_down: 20_000,
  };
  expect((await who.call('POST', '/api/traffic/report', { body: report })).status).toBe(202);
  // No gateway has reported: it waits for a person.
  await heard('session', {
    sessions: [{ id: session_id, reports: 1, bytes: 20_000, amount: '0', review: '2' }],
  });

  // Of last week, as it was metered then.
  const day = dayAfter(today, -7);
  await db.query(
    `with s as (
       insert into traffic_session (id, project_id, person_id, installation_id, started_at, ended_at, ended_because)
       values ($1, $2, $3, $1, $4::date + interval '12 hours', $4::date + interval '13 hours', 'stopped') returning id)
     insert into session_day (session_id, day, project_id, person_id, bytes, payable, tiyin_per_mb, micros, verdict, unpaid, metered_at)
     select s.id, $4, $2, $3, 40000000, 40000000, 100, 40000000, 'pay', '[]', now() from s`,
    [randomUUID(), PLATFORM_PROJECT_ID, who.personId, day],
  );
  await db.query('select day_close($1, $2, null, 1000)', [PLATFORM_PROJECT_ID, day]);
  await heard('balance', { available: '10004000' });

  const asked = await who.withdraw('1000000');
  expect(asked.status).toBe(202);
  const { id } = asked.body;
  await heard('withdrawal', { withdrawals: [{ id, state: 'pending', gross: '1000000', reason: null }] });
  await heard('balance', { available: '9004000', held: '1000000' });
  await who.call('POST', `/api/withdraw/${id}/cancel`, { key: randomUUID() });
  await heard('withdrawal', {
    withdrawals: [{ id, state: 'cancelled', reason: 'by-person', next_step: expect.any(String) }],
  });
  // What was told is what the routes say.
  const list = await who.call('GET', '/api/withdraw');
  await heard('withdrawal', { withdrawals: list.body.data });
  // Both ways the same, and the same at both processes: the last state of each part, under one id.
  expect(new Set(all.map((messages) => messages.at(-1)?.id)).size).toBe(1);
});

describe('a client that comes back', () => {
  test('with the id that it heard last is told nothing, at another process, until something changes', async () => {
    const who = await world.earner();
    const { token } = await sessionOf(who);
    const first = await dial(urls[0], token);
    await eventually(() => expect(first.messages).toHaveLength(4));
    const lastId = first.messages.at(-1)?.id ?? '';
    first.ws.close();
    const socket = await dial(urls[1], token, lastId);
    const stream = await openStream(`${urls[1]}/api/events`, token, { 'Last-Event-ID': lastId });
    const control = await dial(urls[1], token);
    await eventually(() => expect(control.messages).toHaveLength(4));
    expect([socket.messages, stream.events]).toEqual([[], []]);
    await who.withdraw('1000000');
    await eventually(() => expect(socket.newest('withdrawal')).toBeDefined());
    await eventually(() => expect(stream.events.length).toBe(socket.messages.length));
    expect(socket.messages.map(({ event }) => event).toSorted()).toEqual(['balance', 'withdrawal']);
  });
});

describe('who may not follow', () => {
  test('is a session of another project, of a test key, one that was ended, or none', async () => {
    const who = await world.earner();
    const ended = await sessionOf(who);
    await end(ended.id);
    const { token: elsewhere } = await openSession(policy, {
      ...who.owner,
      projectId: await makeProject(policy),
    });
    const { token: test_ } = await openSession(policy, { ...who.owner, mode: 'test' });
    const cases = [
      [elsewhere, 403, 'earner-session-required'],
      [test_, 403, 'earner-session-required'],
      [ended.token, 401, 'unauthenticated'],
      ['none', 401, 'unauthenticated'],
    ] as const;
    for (const [token, status, type] of cases) {
      const { closed, messages } = await dial(urls[0], token);
      expect(await closed).toEqual([4_000 + status, expect.stringContaining(`${type}: `)]);
      const answer = await fetch(`${urls[0]}/api/events`, { headers: { Authorization: `Bearer ${token}` } });
      expect([answer.status, messages]).toEqual([status, []]);
    }
  });

  test('is the oldest connection of a person, where a fifth comes, of both sorts together', async () => {
    const who = await world.earner();
    const { token } = await sessionOf(who);
    const oldest = await dial(urls[0], token);
    await eventually(() => expect(oldest.messages).toHaveLength(4));
    const open = await Promise.all([
      ...Array.from({ length: SUBSCRIBERS_PER_PERSON_MAX - 2 }, () => dial(urls[0], token)),
      openStream(`${urls[0]}/api/events`, token).then((stream) => ({ ...stream, messages: stream.events })),
    ]);
    await eventually(() => {
      for (const { messages } of open) expect(messages).toHaveLength(4);
    });
    const more = await dial(urls[0], token);
    await eventually(() => expect(more.messages).toHaveLength(4));
    expect(await oldest.closed).toEqual([4429, expect.stringContaining('too-many-connections')]);
    // Another person has their own.
    const other = await dial(urls[0], (await sessionOf(await world.earner())).token);
    await eventually(() => expect(other.messages).toHaveLength(4));
  });
});

const end = (sessionId: string) =>
  world.navbat.db.query(
    `update session set revoked_at = now(), revoked_because = 'signed-out' where id = $1`,
    [sessionId],
  );

test('a connection ends within seconds of its session, and no other does', async () => {
  const who = await world.earner();
  const [one, other] = [await sessionOf(who), await sessionOf(who)];
  const sockets = await Promise.all(urls.map((url) => dial(url, one.token)));
  const stream = await openStream(`${urls[0]}/api/events`, one.token);
  const stays = await dial(urls[0], other.token);
  await eventually(() => {
    for (const { messages } of [...sockets, stays]) expect(messages).toHaveLength(4);
    expect(stream.events).toHaveLength(4);
  });
  await end(one.id);
  const said = [4401, 'unauthenticated: The session was ended: sign in again.'];
  expect(await Promise.all(sockets.map(({ closed }) => closed))).toEqual([said, said]);
  expect(await stream.ended).toBe('whole');
  await who.withdraw('1000000');
  await eventually(() => expect(stays.newest('balance')).toMatchObject({ held: '1000000' }));
  expect(sockets.map(({ messages }) => messages.length)).toEqual([4, 4]);
});

test('while Postgres is away nobody is told anything, and all of it once it is back', async () => {
  const who = await world.earner();
  const { token } = await sessionOf(who);
  const socket = await dial(urls[0], token);
  const stream = await openStream(`${urls[1]}/api/events`, token);
  await eventually(() => {
    expect(socket.messages).toHaveLength(4);
    expect(stream.events).toHaveLength(4);
  });
  // Money moves meanwhile, by a connection that is held.
  const held = await world.navbat.db.connect();
  const book = bookOf(held, PLATFORM_PROJECT_ID);
  const [earnings, available] = [await book.open('earnings'), await book.open('available', who.personId)];
  const superuser = new Client({ connectionString: inject('postgres').superuserUrl });
  await superuser.connect();
  onTestFinished(async () => {
    held.release();
    await superuser.end();
  });
  const name = new URL(world.navbat.databaseUrl).pathname.slice(1);
  // As a restart does: the connections of all processes are cut, and no new one is taken for a while.
  await superuser.query(`alter database ${name} with allow_connections false`);
  await superuser.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = 'navbat_app'`,
    [name],
  );
  const key = `earn:${who.personId}:while-away`;
  await book.postAll([{ key, kind: 'earn', debit: earnings, credit: available, amount: 50_000n }]);
  const failing = () => world.navbat.log.filter((line) => line.includes('what people follow was not read'));
  await eventually(() => expect(failing().length).toBeGreaterThan(4));
  expect([socket.messages.length, stream.events.length, socket.ws.readyState]).toEqual([
    4,
    4,
    WebSocket.OPEN,
  ]);
  await superuser.query(`alter database ${name} with allow_connections true`);
  const told = { available: '10000005', held: '0', receivable: '0', currency: 'UZS' };
  await eventually(() => {
    for (const messages of [socket.messages, stream.events])
      expect(newest(messages, 'balance')).toEqual(told);
  });
  // Once, and nothing else: no state that never was.
  expect([socket.messages.length, stream.events.length]).toEqual([5, 5]);
});

test('an api that stops sends its subscribers away, each to come back at another time', async () => {
  const third = await startApi();
  const who = await world.earner();
  const { token } = await sessionOf(who);
  const sockets = [await dial(third.url, token), await dial(third.url, token)];
  const pending = new WebSocket(`${third.url.replace('http', 'ws')}/ws`);
  await once(pending, 'open');
  const stream = await openStream(`${third.url}/api/events`, token);
  await eventually(() => {
    for (const { messages } of sockets) expect(messages).toHaveLength(4);
    expect(stream.events).toHaveLength(4);
  });
  const gone = Promise.all([...sockets.map(({ closed }) => closed), once(pending, 'close')]);
  const startedMs = performance.now();
  await stopProcess(third.child);
  expect(performance.now() - startedMs).toBeLessThan(9_000);
  expect((await gone).map(([code]) => code as number)).toEqual([1001, 1001, 1001]);
  expect(await stream.ended).toBe('whole');
  const delays = sockets.map(({ messages }) => {
    expect(messages.at(-1)?.event).toBe('retry');
    return newest(messages, 'retry').after_ms as number;
  });
  for (const ms of delays) expect(ms >= 2_000 && ms < 12_000).toBe(true);
  expect(delays[0]).not.toBe(delays[1]);
  // Another process goes on where they were.
  const back = await dial(urls[0], token, sockets[0]?.messages.at(-2)?.id ?? '');
  await who.withdraw('1000000');
  await eventually(() => expect(back.newest('withdrawal')).toBeDefined());
  expect(back.messages.map(({ event }) => event)).not.toContain('price');
});
