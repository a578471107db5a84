import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { dayAfter, tashkentDay } from '../../../../domain/pay/ledger/head.ts';
import { openSession } from '../../../rules/policy/person-objects.ts';
import { insertStaffSession, makeStaff } from '../../../rules/policy/roles.ts';
import { makeKey, makeProject, type World } from '../../../rules/policy/world.ts';
import { keyedHash } from '../../../../infra/process/crypto.ts';
import type { StaffRole } from '../../../../domain/staff/role.ts';
import { eventually } from '../../../support/eventually.ts';
import { openEarners, typeOf } from '../pay/earner.ts';

let world: Awaited<ReturnType<typeof openEarners>>;
let policy: World;
beforeAll(async () => {
  world = await openEarners(['api', 'worker'], {
    NAVBAT_PRODUCTS: 'verify,message,pay,earn',
    MONEY_PROJECT: PLATFORM_PROJECT_ID,
  });
  policy = { ...world.navbat, hash: keyedHash(world.navbat.env['PEPPER'] ?? '') } as unknown as World;
});
afterAll(() => world?.navbat.stop());

const ask = async (method: string, path: string, token: string | null, body?: object) => {
  const answer = await fetch(world.navbat.apiUrl + path, {
    method,
    headers: {
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
};
const staffToken = async (role: StaffRole) => {
  const staffId = await makeStaff(policy, role);
  return (await insertStaffSession(policy, { staffId, extent: 'full', via: 'bearer' })).token;
};
const [today, tomorrow] = [tashkentDay(new Date()), dayAfter(tashkentDay(new Date()))];
const setPrice = async (tiyin: number, day = tomorrow, token?: string) =>
  ask('POST', '/api/admin/daily_price', token ?? (await staffToken('finance')), { day, tiyin_per_mb: tiyin });

describe('the price', () => {
  test('is shown to anybody, set by finance, and by two of them where it changes much', async () => {
    expect(typeOf(await ask('GET', '/api/daily_price', null))).toBe('no-price');
    expect(await setPrice(100, today)).toEqual({ status: 200, body: { state: 'set', id: null } });
    expect(await ask('GET', '/api/daily_price', null)).toEqual({
      status: 200,
      body: { day: today, tiyin_per_mb: 100, carried: false },
    });
    expect(typeOf(await setPrice(100, today))).toBe('day-begun');
    const first = await staffToken('finance');
    const asked = await setPrice(500, tomorrow, first);
    expect(asked).toMatchObject({ status: 202, body: { state: 'asked' } });
    const agree = (token: string) => ask('POST', `/api/admin/daily_price/${asked.body.id}/agree`, token);
    expect(typeOf(await agree(first))).toBe('own-change');
    expect((await agree(await staffToken('admin'))).status).toBe(200);
    const list = await ask('GET', '/api/admin/daily_price', first);
    expect(list.body.data).toMatchObject([{ id: asked.body.id, state: 'agreed', tiyin_per_mb: 500 }]);
  });

  test.each(['operator', 'developer', 'viewer'] as const)('is not set by the role %s', async (role) => {
    expect(typeOf(await setPrice(100, tomorrow, await staffToken(role)))).toBe('role-forbids');
  });
});

describe('a phone', () => {
  test('starts, reports, is metered within seconds, and stops', async () => {
    const who = await world.earner();
    const started = await who.call('POST', '/api/traffic/start', { body: { installation_id: randomUUID() } });
    expect(started).toMatchObject({
      status: 201,
      body: { verdict: 'pay', reason: null, report_every_s: 60 },
    });
    const { session_id } = started.body;
    const flat = {
      session_id,
      seq: 0,
      measured_at: new Date().toISOString(),
      bytes_up: 1,
      bytes_down: 9_999,
    };
    const reported = await who.call('POST', '/api/traffic/report', { body: flat });
    expect(reported).toMatchObject({ status: 202, body: { accepted: 1, repeated: 0, conflicts: 0 } });
    await eventually(async () => {
      const { rows } = await world.navbat.db.query('select bytes from session_day where session_id = $1', [
        session_id,
      ]);
      expect(rows).toEqual([{ bytes: '10000' }]);
    });
    const { session_id: _of, ...one } = flat;
    const again = await who.call('POST', '/api/traffic/report', { body: { session_id, reports: [one] } });
    expect(again.body).toMatchObject({ accepted: 0, repeated: 1, conflicts: 0, job_id: null });
    const stop = () => who.call('POST', `/api/traffic/stop?session_id=${session_id}`);
    const stopped = await stop();
    expect(stopped).toMatchObject({
      status: 200,
      body: {
        days: [
          {
            bytes: 10_000,
            gateway_bytes: null,
            verdict: 'review',
            reason: 'no-counterpart',
            unpaid: [{ reason: 'no-counterpart', bytes: 10_000 }],
          },
        ],
      },
    });
    expect(await stop()).toEqual(stopped);
    // 10 000 bytes, at 100 tiyin a MB.
    expect(await who.balance()).toMatchObject({ pending: '0', review: '1' });
    const { data } = (await who.call('GET', '/api/sessions')).body;
    expect(data).toMatchObject([{ id: session_id, reports: 1, ended_at: stopped.body.ended_at }]);
  });

  test.each<[object, string]>([
    [{}, 'has none of'],
    [{ session_id: randomUUID(), reports: [] }, '/reports'],
    [
      {
        session_id: randomUUID(),
        reports: [{ seq: -1, measured_at: 'today', bytes_up: 0.5, bytes_down: 1 }],
      },
      '/reports/0/seq',
    ],
    ...['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-12:00'].map((measured_at): [object, string] => [
      { session_id: randomUUID(), reports: [{ seq: 0, measured_at, bytes_up: 0, bytes_down: 1 }] },
      '/reports/0/measured_at',
    ]),
  ])('is told which field of %j is wrong', async (body, pointer) => {
    const who = await world.earner();
    const answer = await who.call('POST', '/api/traffic/report', { body });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body.errors)).toContain(pointer);
  });

  test('of another is told what one of nobody is, byte by byte', async () => {
    const [who, other] = [await world.earner(), await world.earner()];
    const { session_id } = (
      await who.call('POST', '/api/traffic/start', { body: { installation_id: randomUUID() } })
    ).body;
    const one = { seq: 0, measured_at: new Date().toISOString(), bytes_up: 0, bytes_down: 0 };
    const report = (id: string) =>
      other.call('POST', '/api/traffic/report', { body: { session_id: id, reports: [one] } });
    const stop = (id: string) => other.call('POST', `/api/traffic/stop?session_id=${id}`);
    for (const send of [report, stop]) expect(await send(session_id)).toEqual(await send(randomUUID()));
    expect((await report(session_id)).status).toBe(404);
  });

  test('with a session of another project, or of a test key, is refused', async () => {
    const who = await world.earner();
    const strangers = [
      { ...who.owner, projectId: await makeProject(policy) },
      { ...who.owner, mode: 'test' as const },
    ];
    for (const owner of strangers) {
      const { token } = await openSession(policy, owner);
      const answer = await ask('POST', '/api/traffic/start', token, { installation_id: randomUUID() });
      expect([answer.status, typeOf(answer)]).toEqual([403, 'earner-session-required']);
    }
  });
});

describe('a gateway', () => {
  test('reports with a key of its own, and what it carried is paid', async () => {
    const who = await world.earner();
    const { session_id } = (
      await who.call('POST', '/api/traffic/start', { body: { installation_id: randomUUID() } })
    ).body;
    const one = { seq: 0, measured_at: new Date().toISOString(), bytes_up: 0, bytes_down: 10_000 };
    await who.call('POST', '/api/traffic/report', { body: { session_id, reports: [one] } });
    const { key } = await makeKey(policy, PLATFORM_PROJECT_ID, { scopes: ['gateways'] });
    const send = () => ask('POST', '/api/gateway/reports', key, { reports: [{ ...one, session_id }] });
    expect(await send()).toEqual({
      status: 202,
      body: { accepted: 1, repeated: 0, conflicts: 0, unknown: 0 },
    });
    expect((await send()).body).toMatchObject({ accepted: 0, repeated: 1 });
    await eventually(async () => {
      const { rows } = await world.navbat.db.query(
        'select verdict, payable from session_day where session_id = $1',
        [session_id],
      );
      expect(rows).toEqual([{ verdict: 'pay', payable: '10000' }]);
    });
    expect(await who.balance()).toMatchObject({ pending: '1', review: '0' });
    const other = await makeKey(policy, PLATFORM_PROJECT_ID, { scopes: ['otp'] });
    expect(
      typeOf(await ask('POST', '/api/gateway/reports', other.key, { reports: [{ ...one, session_id }] })),
    ).toBe('insufficient-scope');
  });
});
