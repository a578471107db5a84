import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  codeSentTo,
  type Navbat,
  startNavbat,
  type TestProject,
  wrongCode,
} from '../../../support/navbat.ts';
import { EVENTUALLY_MS } from '../../../support/eventually.ts';

let navbat: Navbat;
let project: TestProject;
let nextNumber = 100;

beforeAll(async () => {
  navbat = await startNavbat();
  project = await navbat.createProject({ settings: { sms_daily_budget_micros: 1_000_000_000 } });
});
afterAll(() => navbat.stop());

async function send(more: object = {}) {
  // Each has a prefix of its own, or the numbers that are never verified would block the others.
  const to = `+99890${nextNumber++}0000`;
  const sent = await project.call('POST', '/otp/send', { to, ...more });
  expect(sent.status).toBe(202);
  return { to, id: sent.body.id as string, code: await codeSentTo(navbat, to) };
}
const check = (id: string, code: string) => project.call('POST', '/otp/verify', { id, code });

describe('a number', () => {
  test.each([' ext. 12', ';ext=12', 'x5', ',,1'])(
    'with the extension %j is refused, and told why',
    async (ext) => {
      for (const [path, field] of [
        ['/otp/send', 'to'],
        ['/api/send-otp/', 'phone'],
        ['/auth/code', 'phone'],
      ] as const)
        expect(await project.call('POST', path, { [field]: `+998901110005${ext}` })).toMatchObject({
          status: 400,
          body: { errors: [{ pointer: `/${field}`, detail: expect.stringContaining('extension') }] },
        });
    },
  );

  test('of a range that lists call landlines gets its code', async () => {
    const to = '+998551110005';
    expect(await project.call('POST', '/otp/send', { to, channels: ['sms'] })).toMatchObject({ status: 202 });
    expect(await codeSentTo(navbat, to)).toMatch(/^\d{6}$/);
  });
});

test('by to, where the send did not allow it, the field is told so and no check is used', async () => {
  const { id, to, code } = await send();
  for (const each of [code, wrongCode(code)])
    expect(await project.call('POST', '/otp/verify', { to, code: each })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/to', detail: expect.stringContaining('allow_verify_by_to') }] },
    });
  expect(await check(id, wrongCode(code))).toMatchObject({ status: 422, body: { remaining: 4 } });
  expect(await check(id, code)).toMatchObject({ status: 200 });
  // Where nothing lives, by to tells nothing.
  expect(await project.call('POST', '/otp/verify', { to, code })).toMatchObject({ status: 422 });
});

describe('a code works once, within its life and its five checks', () => {
  test('the right code passes on the fifth check', async () => {
    const { id, code } = await send();
    for (const remaining of [4, 3, 2, 1])
      expect(await check(id, wrongCode(code))).toMatchObject({ status: 422, body: { remaining } });
    expect(await check(id, code)).toMatchObject({ status: 200 });
  });

  test('as it was pasted; and what can be no code costs no check', async () => {
    const { id, code } = await send();
    for (const text of ['', code.slice(0, 3), `${code}0000`, `${code.slice(0, 3)}.${code.slice(3)}`])
      expect(await check(id, text)).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '/code', detail: expect.stringContaining('expected 4 to 8 digits') }] },
      });
    const paste = `\u200b“${code.slice(0, 3)}\u00a0${code.slice(3)}”\n`;
    expect(await check(id, wrongCode(code))).toMatchObject({ status: 422, body: { remaining: 4 } });
    expect(await check(id, paste)).toMatchObject({ status: 200 });
  });

  test('and not on the sixth', async () => {
    const { id, code } = await send();
    for (const remaining of [4, 3, 2, 1, 0])
      expect(await check(id, wrongCode(code))).toMatchObject({ status: 422, body: { remaining } });
    expect(await check(id, code)).toMatchObject({ status: 410, body: { reason: 'max-checks-reached' } });
  });

  test('a resend gives the same code and no new checks', async () => {
    const { id, to, code } = await send();
    for (let used = 0; used < 4; used++) await check(id, wrongCode(code));
    await navbat.db.query(`update verification set sent_at = sent_at - interval '30 s' where id = $1`, [id]);
    const resent = await project.call('POST', '/otp/send', { to });
    expect(resent).toMatchObject({ status: 202, body: { id, resend: true } });
    await expect.poll(() => navbat.sandbox.inbox({ to }).length).toBe(2);
    expect(await codeSentTo(navbat, to)).toBe(code);
    expect(await check(id, wrongCode(code))).toMatchObject({ status: 422, body: { remaining: 0 } });
    expect(await check(id, code)).toMatchObject({ status: 410 });
  });

  test('a resend that rotates makes the old code worthless', async () => {
    const { id, to, code } = await send();
    await navbat.db.query(`update verification set sent_at = sent_at - interval '30 s' where id = $1`, [id]);
    expect(await project.call('POST', `/otp/${id}/resend`, { on_resend: 'rotate' })).toMatchObject({
      status: 202,
      body: { id, resend: true },
    });
    await expect.poll(() => navbat.sandbox.inbox({ to }).length).toBe(2);
    const rotated = await codeSentTo(navbat, to);
    expect(rotated).not.toBe(code);
    expect(await check(id, code)).toMatchObject({ status: 422 });
    expect(await check(id, rotated)).toMatchObject({ status: 200 });
  });

  test('asking again within 30 s is refused, and says when to come back', async () => {
    const { to } = await send();
    const again = await project.call('POST', '/otp/send', { to });
    expect(again).toMatchObject({ status: 429, body: { type: 'urn:navbat:problem:too-soon' } });
    expect(Number(again.headers.get('Retry-After'))).toBeGreaterThan(25);
  });

  test('a resend asked for again under its key after the end gets its first answer, and under another the end', async () => {
    const { id, code } = await send();
    await navbat.db.query(`update verification set sent_at = sent_at - interval '31 s' where id = $1`, [id]);
    const resend = (key: string, body: object = {}) =>
      project.call('POST', `/otp/${id}/resend`, body, { 'Idempotency-Key': key });
    const first = await resend(`again-${id}`);
    expect(first.status).toBe(202);
    expect(await check(id, code)).toMatchObject({ status: 200 });
    const again = await resend(`again-${id}`);
    expect(again).toMatchObject({ status: 202, body: first.body });
    expect(again.headers.get('Idempotent-Replayed')).toBe('true');
    expect((await resend(`again-${id}`, { on_resend: 'rotate' })).status).toBe(422);
    expect(await resend(`other-${id}`)).toMatchObject({ status: 410, body: { reason: 'used' } });
  });

  test('of 100 concurrent checks five count, for the code and for its number, and none after its end', async () => {
    const { id, code } = await send();
    const replies = await Promise.all(Array.from({ length: 100 }, () => check(id, wrongCode(code))));
    expect(replies.filter(({ status }) => status === 422)).toHaveLength(5);
    expect(replies.filter(({ status }) => status === 410)).toHaveLength(95);
    const { rows } = await navbat.db.query(
      'select d.failed_checks, d.locked_at is not null locked, v.checks_used from verification v join destination d using (address_hash, project_id) where v.id = $1',
      [id],
    );
    expect(rows).toEqual([{ failed_checks: 5, locked: false, checks_used: 5 }]);
  });

  test('of 50 concurrent right checks one is approved', async () => {
    const { id, code } = await send();
    const replies = await Promise.all(Array.from({ length: 50 }, () => check(id, code)));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('an expired code is closed', async () => {
    const { id, code } = await send();
    await navbat.db.query(`update verification set expires_at = now() - interval '1 ms' where id = $1`, [id]);
    expect(await check(id, code)).toMatchObject({ status: 410, body: { reason: 'expired' } });
  });

  test('a cancelled code is closed, and nothing more is sent', async () => {
    const { id, code } = await send();
    expect(await project.call('POST', `/otp/${id}/cancel`, {})).toMatchObject({
      status: 200,
      body: { status: 'cancelled' },
    });
    expect(await check(id, code)).toMatchObject({ status: 410, body: { reason: 'cancelled' } });
  });
});

describe('checks by `to`', () => {
  test('work only where the send allowed it', async () => {
    const closed = await send();
    expect(await project.call('POST', '/otp/verify', { to: closed.to, code: closed.code })).toMatchObject({
      status: 422,
    });
    expect(await check(closed.id, closed.code)).toMatchObject({ status: 200 });
    const open = await send({ allow_verify_by_to: true });
    expect(await project.call('POST', '/otp/verify', { to: open.to, code: open.code })).toMatchObject({
      status: 200,
      body: { id: open.id },
    });
  });

  test('answer alike whether a code lives, was used, or never was', async () => {
    const live = await send({ allow_verify_by_to: true });
    const used = await send({ allow_verify_by_to: true });
    await check(used.id, used.code);
    const bodies = await Promise.all(
      [
        { to: live.to, code: wrongCode(live.code) },
        { to: used.to, code: used.code },
        { to: '+998939998877', code: '123456' },
      ].map(async (body) => (await project.call('POST', '/otp/verify', body)).body as object),
    );
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(bodies[0]).toMatchObject({ status: 422 });
  });
});

describe('one project sees nothing of another’s', () => {
  test('verifications, jobs and recipients of another project are unknown', async () => {
    const { id, code, to } = await send();
    const { rows } = await navbat.db.query('select job_id from verification where id = $1', [id]);
    const other = await navbat.createProject();
    for (const path of [
      `/otp/${id}`,
      `/jobs/${rows[0].job_id}`,
      `/projects/${project.id}`,
      `/projects/${project.id}/usage`,
    ])
      expect(await other.call('GET', path), path).toMatchObject({ status: 404 });
    expect(await other.call('POST', '/otp/verify', { id, code })).toMatchObject({ status: 404 });
    expect(await other.call('POST', `/otp/${id}/cancel`, {})).toMatchObject({ status: 404 });
    expect((await other.call('GET', '/jobs')).body.data).toEqual([]);
    expect((await other.call('GET', `/jobs?recipient=${encodeURIComponent(to)}`)).body.data).toEqual([]);
    expect(await check(id, code)).toMatchObject({ status: 200 });
  });
});

test('limits of a destination are exact under 100 concurrent sends', async () => {
  const to = '+998935554433';
  const purposes = Array.from({ length: 100 }, (_, index) => `purpose-${index}`);
  const replies = await Promise.all(
    purposes.map((purpose) => project.call('POST', '/otp/send', { to, purpose })),
  );
  expect(replies.filter(({ status }) => status === 202)).toHaveLength(5);
  expect(replies.filter(({ body }) => body.type === 'urn:navbat:problem:too-many-sends')).toHaveLength(95);
});

test('there is no second live verification for one project, recipient and purpose', async () => {
  const to = '+998935554434';
  const replies = await Promise.all(
    Array.from({ length: 40 }, () => project.call('POST', '/otp/send', { to })),
  );
  expect(replies.filter(({ status }) => status === 202)).toHaveLength(1);
  const { rows } = await navbat.db.query(
    `select count(*)::int live from verification where project_id = $1 and phone = $2 and state = 'live'`,
    [project.id, to],
  );
  expect(rows).toEqual([{ live: 1 }]);
  await expect(
    navbat.db.query(
      `insert into verification select (jsonb_populate_record(v, jsonb_build_object('id', gen_random_uuid()))).* from verification v where phone = $1`,
      [to],
    ),
  ).rejects.toThrow('verification_live');
});

const CAPPED = { status: 429, body: { type: 'urn:navbat:problem:number-capped' } };

test('a destination is capped at 15 paid messages an hour over all projects, at the intake', async () => {
  const to = '+998935554435';
  const projects = await Promise.all(Array.from({ length: 4 }, () => navbat.createProject()));
  const replies = [];
  for (const [index, one] of projects.entries())
    for (let purpose = 0; purpose < 5; purpose++)
      replies.push(await one.call('POST', '/otp/send', { to, purpose: `p${index}-${purpose}` }));
  expect(replies.map(({ status }) => status)).toEqual([
    ...Array.from({ length: 15 }, () => 202),
    ...Array.from({ length: 5 }, () => 429),
  ]);
  expect(replies.at(-1)).toMatchObject(CAPPED);
  expect(Number(replies.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(3_500);
  await expect.poll(() => navbat.sandbox.inbox({ to }).length, { timeout: EVENTUALLY_MS }).toBe(15);
  // Time lifts it: the idempotency key may be tried again.
  const send = () =>
    projects[3]?.call('POST', '/otp/send', { to, purpose: 'later' }, { 'Idempotency-Key': 'later-1' });
  expect(await send()).toMatchObject(CAPPED);
  await navbat.db.query(
    `with past as (update job set accepted_at = accepted_at - interval '2 h', finished_at = now() - interval '2 h', state = 'completed'
       where subject_id in (select id from verification where phone = $1) returning id)
     update attempt set opened_at = opened_at - interval '2 h' where job_id in (select id from past)`,
    [to],
  );
  expect(await send()).toMatchObject({ status: 202 });
});

test('one project alone silences a number for itself only', async () => {
  const to = '+998935554436';
  const one = await navbat.createProject({ settings: { sends_per_hour: 100 } });
  for (let purpose = 0; purpose < 8; purpose++)
    expect((await one.call('POST', '/otp/send', { to, purpose: `p-${purpose}` })).status).toBe(202);
  expect(await one.call('POST', '/otp/send', { to, purpose: 'p-8' })).toMatchObject(CAPPED);
  const other = await navbat.createProject();
  expect((await other.call('POST', '/otp/send', { to })).status).toBe(202);
  await expect.poll(() => navbat.sandbox.inbox({ to }).length, { timeout: EVENTUALLY_MS }).toBe(9);
});
