import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tashkentDay } from '../../../../domain/pay/ledger/head.ts';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import type { StaffRole } from '../../../../domain/staff/role.ts';
import { keyedHash } from '../../../../infra/process/crypto.ts';
import { insertStaffSession, makeStaff } from '../../../rules/policy/roles.ts';
import type { World } from '../../../rules/policy/world.ts';
import { eventually } from '../../../support/eventually.ts';
import { mmdb } from '../../../support/mmdb.ts';
import { openEarners, typeOf } from '../pay/earner.ts';

let world: Awaited<ReturnType<typeof openEarners>>;
let policy: World;
let price: string;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'addresses-'));
  const database = join(directory, 'countries.mmdb');
  // Where this test asks from.
  await writeFile(database, mmdb({ '127.0.0.0/8': { country_code: 'UZ' } }, new Date()));
  world = await openEarners(['api', 'worker'], {
    NAVBAT_PRODUCTS: 'verify,message,pay,earn',
    MONEY_PROJECT: PLATFORM_PROJECT_ID,
    ADDRESS_DATABASES: database,
  });
  policy = { ...world.navbat, hash: keyedHash(world.navbat.env['PEPPER'] ?? '') } as unknown as World;
  price = await staffToken('finance');
  await admin('POST', '/api/admin/daily_price', price, { day: today, tiyin_per_mb: 100 });
});
afterAll(async () => {
  await world?.navbat.stop();
  await rm(directory, { recursive: true });
});

const today = tashkentDay(new Date());

async function staffToken(role: StaffRole): Promise<string> {
  const staffId = await makeStaff(policy, role);
  return (await insertStaffSession(policy, { staffId, extent: 'full', via: 'bearer' })).token;
}

async function admin(method: string, path: string, token: string, body?: object) {
  const answer = await fetch(world.navbat.apiUrl + path, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

/** Who has shared 2 MB today, which wait for a person since no gateway said anything. */
async function sharer() {
  const who = await world.earner();
  const started = await who.call('POST', '/api/traffic/start', { body: { installation_id: randomUUID() } });
  const { session_id } = started.body;
  // Within the minute that clocks may be ahead, so that it was no 50 MB a second.
  const measured_at = new Date(Date.now() + 30_000);
  const body = { session_id, seq: 0, measured_at, bytes_up: 0, bytes_down: 2_000_000 };
  await who.call('POST', '/api/traffic/report', { body });
  await eventually(async () => {
    expect((await who.call('GET', '/api/stats/range')).body).toMatchObject({ bytes: 2_000_000 });
  });
  return { ...who, sessionId: session_id as string };
}

describe('a person', () => {
  test('sees all of it on one page: balance, today, price, open sessions, the last withdrawals', async () => {
    const who = await sharer();
    await who.withdraw('1000000');
    const { status, body } = await who.call('GET', '/api/dashboard/me');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      balance: { available: '9000000', held: '1000000', pending: '0', review: '200', receivable: '0' },
      today: { day: today, bytes: 2_000_000, mb: 2, amount: '0', review: '200' },
      price: { tiyin_per_mb: 100, carried: false },
      sessions: [{ id: who.sessionId, ended_at: null, reports: 1 }],
      withdrawals: [{ state: 'pending', gross: '1000000' }],
    });
    await who.call('POST', `/api/traffic/stop?session_id=${who.sessionId}`);
    expect((await who.call('GET', '/api/dashboard/me')).body.sessions).toEqual([]);
  });

  test('sees nothing of another, and of nobody the same', async () => {
    const [who, other] = [await world.earner(), await world.earner()];
    const chat = Math.floor(Math.random() * 1e9) + 1;
    await world.navbat.db.query(
      `insert into person_chat (mode, telegram_id, person_id, proven_at) values ('live', $1, $2, now())`,
      [chat, other.personId],
    );
    const asked = [
      (id: number) => who.call('GET', `/api/dashboard/${id}`),
      (id: number) => who.call('POST', `/api/user/refresh_balance?telegram_id=${id}`),
    ];
    for (const ask of asked) {
      const refused = await ask(chat);
      expect([refused.status, typeOf(refused)]).toEqual([403, 'not-yours']);
      expect(await ask(chat + 1)).toEqual(refused);
    }
    expect((await other.call('GET', `/api/dashboard/${chat}`)).status).toBe(200);
  });

  test('has their balance summed up anew, a few times a minute', async () => {
    const who = await world.earner(500n);
    const refresh = () => who.call('POST', '/api/user/refresh_balance?telegram_id=me');
    expect(await refresh()).toMatchObject({
      status: 200,
      body: { verified: true, available: '500', held: '0', pending: '0', currency: 'UZS' },
    });
    const later = [];
    for (let i = 0; i < 6; i++) later.push((await refresh()).status);
    expect(later).toEqual([200, 200, 200, 200, 200, 429]);
  });

  test('is told that a balance differs, and finance has it on their list', async () => {
    const who = await world.earner(500n);
    await world.navbat.db.query(
      `update ledger_account set balance = balance + 10000 where owner = $1 and class = 'available'`,
      [who.personId],
    );
    const told = await who.call('POST', '/api/user/refresh_balance?telegram_id=me');
    expect([told.status, typeOf(told)]).toEqual([500, 'balance-differs']);
    const { rows } = await world.navbat.db.query(
      `select amount from difference where bucket = 'balance' and closed_at is null`,
    );
    expect(rows).toEqual([{ amount: '1' }]);
  });

  test('sees their traffic by day, installation and country', async () => {
    const who = await sharer();
    const figures = { sessions: 1, bytes: 2_000_000, paid_bytes: 0, amount: '0', review: '200' };
    const get = async (path: string) => (await who.call('GET', path)).body;
    expect(await get(`/api/stats/daily?from=${today}&to=${today}`)).toEqual({
      from: today,
      to: today,
      data: [{ day: today, tiyin_per_mb: 100, closed: false, ...figures }],
      next_after: null,
    });
    expect(await get('/api/stats/range')).toMatchObject({ to: today, days: 1, ...figures });
    expect((await get('/api/stats/devices')).data).toMatchObject([{ last_day: today, ...figures }]);
    expect((await get('/api/stats/countries')).data).toEqual([{ country: 'UZ', ...figures }]);
    const wrong = await who.call('GET', '/api/stats/daily?from=2026-01-02&to=2026-01-01');
    expect(wrong).toMatchObject({ status: 400, body: { errors: [{ pointer: 'from' }] } });
  });

  test('finds their sessions by whether they go on, and by the day on which they began', async () => {
    const who = await sharer();
    const ids = async (query: string) =>
      ((await who.call('GET', `/api/sessions?${query}`)).body.data as { id: string }[]).map(({ id }) => id);
    expect(await ids('open=true')).toEqual([who.sessionId]);
    expect(await ids('open=false')).toEqual([]);
    expect(await ids(`from=${today}&to=${today}`)).toEqual([who.sessionId]);
    expect(await ids('to=2026-01-01')).toEqual([]);
    expect(await ids('from=2099-01-01')).toEqual([]);
  });

  test('names themselves and their language; their phone is shown in part', async () => {
    const who = await sharer();
    const shown = await who.call('GET', '/api/profile');
    expect(shown).toMatchObject({
      status: 200,
      body: { name: null, language: null, installations: [{ sessions: 1 }], destinations: 1 },
    });
    expect(shown.body.phone).toMatch(/^\+\d{3}•+\d{2}$/);
    const patch = (body: object) => who.call('PATCH', '/api/profile', { body });
    expect((await patch({ name: 'Aziza', language: 'ru' })).body).toMatchObject({
      name: 'Aziza',
      language: 'ru',
    });
    expect((await patch({ name: null })).body).toMatchObject({ name: null, language: 'ru' });
    for (const body of [{}, { name: ' ' }, { name: '8600 1234 1234 1239' }, { language: 'xx' }])
      expect((await patch(body)).status, JSON.stringify(body)).toBe(400);
  });
});

describe('an admin', () => {
  test('sums up, finds a person, blocks and unblocks them', async () => {
    const who = await sharer();
    const token = await staffToken('admin');
    const summary = await admin('GET', '/api/admin/dashboard/summary', token);
    expect(summary).toMatchObject({
      status: 200,
      body: {
        today: { amount: '0' },
        days_waiting: [],
        price: { today: { tiyin_per_mb: 100, carried: false }, tomorrow: { carried: true } },
      },
    });
    expect(summary.body.open_sessions).toBeGreaterThan(0);
    expect(summary.body.in_review.days).toBeGreaterThan(0);
    await who.call('PATCH', '/api/profile', { body: { name: 'Zulfiya' } });
    const found = await admin('GET', '/api/admin/users?name=zulf', token);
    expect(found.body.data).toMatchObject([{ id: who.personId, name: 'Zulfiya', open_sessions: 1 }]);
    const path = `/api/admin/users/${who.personId}`;
    const one = await admin('GET', path, token);
    expect(one.body).toMatchObject({
      id: who.personId,
      balance: { available: '10000000', review: '200' },
      traffic: { bytes: 2_000_000, amount: '0', review: '200' },
      destinations: 1,
      blocks: [],
    });
    const reason = 'Case 4711';
    expect(await admin('POST', `${path}/block`, token, { reason })).toEqual({
      status: 200,
      body: { id: who.personId, blocked: true },
    });
    expect(typeOf(await admin('POST', `${path}/block`, token, { reason }))).toBe('already-blocked');
    const start = () => who.call('POST', '/api/traffic/start', { body: { installation_id: randomUUID() } });
    expect(typeOf(await start())).toBe('person-blocked');
    expect(typeOf(await who.withdraw('1000000'))).toBe('blocked');
    expect((await admin('GET', path, token)).body.blocks).toMatchObject([
      { reason: 'by-staff', because: reason, lifted_at: null },
    ]);
    expect((await admin('POST', `${path}/unblock`, token, { reason })).status).toBe(200);
    expect((await start()).status).toBe(201);
    const { rows: audited } = await world.navbat.db.query(
      `select detail ->> 'did' as did from audit where action = 'people.block' and subject = $1 order by id`,
      [who.personId],
    );
    expect(audited).toEqual([{ did: 'block' }, { did: 'unblock' }]);
    expect((await who.withdraw('1000000')).status).toBe(202);
  });

  test.each([
    ['finance', 200, 200],
    ['operator', 403, 200],
    ['developer', 403, 403],
    ['viewer', 403, 403],
  ] as const)('is no %s, who sums up with %i, reads with %i and blocks nobody', async (role, sums, reads) => {
    const { personId } = await world.earner();
    const token = await staffToken(role);
    const path = `/api/admin/users/${personId}`;
    expect((await admin('GET', '/api/admin/dashboard/summary', token)).status).toBe(sums);
    expect((await admin('GET', '/api/admin/users', token)).status).toBe(reads);
    expect((await admin('GET', path, token)).status).toBe(reads);
    expect((await admin('POST', `${path}/block`, token, { reason: 'x' })).status).toBe(403);
    expect((await admin('POST', `${path}/unblock`, token, { reason: 'x' })).status).toBe(403);
  });
});

test('Swagger UI and ReDoc show what earning has', async () => {
  const text = async (path: string) => {
    const answer = await fetch(world.navbat.apiUrl + path);
    return { status: answer.status, text: await answer.text() };
  };
  expect((await text('/docs')).text).toContain('swagger-ui');
  expect((await text('/docs/start.js')).text).toContain('/openapi.json');
  expect((await text('/redoc')).text).toContain('spec-url="/openapi.json"');
  const { paths } = JSON.parse((await text('/openapi.json')).text) as { paths: Record<string, object> };
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining([
      '/api/dashboard/{telegram_id}',
      '/api/traffic/start',
      '/api/stats/daily',
      '/api/profile',
      '/api/admin/users',
    ]),
  );
});
