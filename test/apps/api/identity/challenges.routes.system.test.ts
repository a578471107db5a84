import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  PUSHES_PER_HOUR,
  STRANGER_PUSHES_PER_HOUR,
} from '../../../../domain/identity/approval/push-limits.ts';
import {
  answer,
  ask,
  befriend,
  fetchChallenge,
  forge,
  otherNumber,
  personAndPhone,
  personOf,
  pushedOf,
  pushTokenOf,
  startWithShop,
  statementOf,
} from '../../../support/approvals.ts';
import type { Curve } from '../../../support/devices.ts';
import { type Navbat, type TestProject, until } from '../../../support/navbat.ts';
import { newNumber } from '../../../support/platform.ts';
import { startReceiver } from '../../../support/webhook-receiver.ts';

let navbat: Navbat;
let app: TestProject;
let shop: TestProject;

beforeAll(async () => {
  ({ navbat, app, shop } = await startWithShop());
});
afterAll(() => navbat.stop());

const bound = (curve?: Curve) => personAndPhone(navbat, app, curve);

const statusOf = async (project: TestProject, id: string) => (await project.call('GET', `/otp/${id}`)).body;

const approvalsOf = async (challengeId: string) =>
  (await navbat.db.query('select * from approval where challenge_id = $1', [challengeId])).rows;

describe.each(['Ed25519', 'P-256'] as const)('a person with a key on %s', (curve) => {
  test('approves by typing the number that the requester shows, and the project knows them from then on', async () => {
    const { number, phone } = await bound(curve);
    const sent = await ask(shop, number, {
      client: { ip: '203.0.113.7', user_agent: 'Firefox', device_id: 'd' },
    });
    expect(sent.number).toMatch(/^\d{2}$/);

    // The push names neither project nor number; what is asked is fetched in the app's own session.
    const push = await navbat.sandbox.waitForMessage({ to: pushTokenOf(number) });
    expect(JSON.stringify(push)).not.toContain('Shop');
    const asked = await fetchChallenge(navbat, phone, sent.job_id);
    expect(asked).toMatchObject({
      state: 'pending',
      known: false,
      project: { id: shop.id, name: 'Shop' },
      context: { client: { ip: '203.0.113.7', user_agent: 'Firefox' }, payment: null },
    });
    expect(JSON.stringify(asked)).not.toContain('number');
    expect((await phone.call('GET', '/me/challenges')).body).toMatchObject({ data: [{ id: asked.id }] });
    expect(await statusOf(shop, sent.id)).toMatchObject({ status: 'live', approval: null });

    const said = { decision: 'approve', number: sent.number } as const;
    expect(await answer(phone, asked, said)).toMatchObject({ status: 200, body: { state: 'approved' } });
    const timeline = await statusOf(shop, sent.id);
    expect(timeline).toMatchObject({
      status: 'approved',
      approval: { state: 'approved', answered_at: expect.any(String) },
      jobs: [{ state: 'completed', reason: 'approved', attempts: [{ provider: 'navbat-app' }] }],
    });
    expect((await phone.call('GET', '/me/challenges')).body.data).toEqual([]);
    // The recipient is the project's own handle to them, and serves as `to`.
    const { rows } = await navbat.db.query(
      'select id from recipient where project_id = $1 and person_id = $2',
      [shop.id, await personOf(navbat, number)],
    );
    expect(await ask(shop, rows[0].id)).toMatchObject({ channels: ['push'] });
  });
});

describe('the one try', () => {
  test('is over with a wrong number, which approves nothing and leaves the code as it was', async () => {
    const { number, phone } = await bound();
    const sent = await ask(shop, number, { channels: ['push', 'sms'] });
    const asked = await fetchChallenge(navbat, phone, sent.job_id);
    const wrong = { decision: 'approve', number: otherNumber(sent.number) } as const;
    expect(await answer(phone, asked, wrong)).toMatchObject({ status: 422, body: { type: /wrong-number/ } });
    expect(await answer(phone, asked, { decision: 'approve', number: sent.number })).toMatchObject({
      status: 409,
    });
    expect(await statusOf(shop, sent.id)).toMatchObject({ status: 'live', approval: null });
    // Who signed it can't deny it.
    expect(await approvalsOf(asked.id)).toMatchObject([{ result: 'mismatched' }]);
  });

  test('is not used up by a signature that does not hold, however it was made', async () => {
    const { number, phone } = await bound();
    const other = await bound();
    const stranger = await navbat.createProject({ settings: { display_name: 'Shop', sends_per_hour: 100 } });
    const sent = await ask(shop, number);
    const asked = await fetchChallenge(navbat, phone, sent.job_id);
    const said = { decision: 'approve', number: sent.number } as const;
    const elsewhere = await fetchChallenge(navbat, phone, (await ask(stranger, number)).job_id);
    const signatures = {
      'of nobody’s key': forge(asked, said),
      'of another person’s phone': other.phone.sign('navbat-approval-v1', statementOf(asked, said)),
      'for another project': phone.sign(
        'navbat-approval-v1',
        statementOf({ ...asked, project: elsewhere.project }, said),
      ),
      'of another challenge': phone.sign('navbat-approval-v1', statementOf(elsewhere, said)),
      'of another decision': phone.sign('navbat-approval-v1', statementOf(asked, { decision: 'deny' })),
      'of another number': phone.sign(
        'navbat-approval-v1',
        statementOf(asked, { ...said, number: otherNumber(sent.number) }),
      ),
      'of another purpose': phone.sign(
        'navbat-approval-v1',
        statementOf({ ...asked, purpose: 'login' }, said),
      ),
      'of another context': phone.sign(
        'navbat-approval-v1',
        statementOf(
          { ...asked, context: { client: { ip: '1.1.1.1', user_agent: null }, payment: null } },
          said,
        ),
      ),
      'of a later end': phone.sign(
        'navbat-approval-v1',
        statementOf({ ...asked, expires_at: new Date(Date.now() + 3_600_000).toISOString() }, said),
      ),
      'under another line': phone.sign('navbat-sign-in-v1', statementOf(asked, said)),
    };
    for (const [how, signature] of Object.entries(signatures))
      expect(await answer(phone, asked, said, { signature }), how).toMatchObject({
        status: 422,
        body: { type: /signature-invalid/ },
      });
    expect(await approvalsOf(asked.id)).toEqual([]);
    // The eleventh within a minute is told to wait, and an honest answer is not.
    expect(await answer(phone, asked, said, { signature: forge(asked, said) })).toMatchObject({
      status: 429,
    });
    expect(await answer(phone, asked, said)).toMatchObject({ status: 200 });
  });

  test('cannot be made with a signature that was used: not for the same challenge, nor for the next', async () => {
    const { number, phone } = await bound();
    const sent = await ask(shop, number);
    const asked = await fetchChallenge(navbat, phone, sent.job_id);
    const said = { decision: 'approve', number: sent.number } as const;
    const signature = phone.sign('navbat-approval-v1', statementOf(asked, said));
    const first = await answer(phone, asked, said, { signature });
    // Whose answer was lost asks again, and is told the same: nothing happens twice.
    const again = await answer(phone, asked, said, { signature });
    expect([first, again]).toMatchObject([{ status: 200 }, { status: 200, body: first.body }]);
    expect(await approvalsOf(asked.id)).toHaveLength(1);
    expect(await answer(phone, asked, { decision: 'deny' })).toMatchObject({ status: 409 });

    const next = await fetchChallenge(navbat, phone, (await ask(shop, number)).job_id);
    expect(await answer(phone, next, said, { signature })).toMatchObject({ status: 422 });
    expect((await phone.call('GET', `/me/challenges/${next.id}`)).body).toMatchObject({ state: 'pending' });
  });

  test('is one, in fifty concurrent tries', async () => {
    const { number, phone } = await bound();
    const sent = await ask(shop, number);
    const asked = await fetchChallenge(navbat, phone, sent.job_id);
    const tries = Array.from({ length: 50 }, (_, index) => String(index * 2).padStart(2, '0'));
    const replies = await Promise.all(
      tries.map((one) => answer(phone, asked, { decision: 'approve', number: one })),
    );
    const statuses = replies.map(({ status }) => status);
    expect(statuses.filter((status) => status === 409)).toHaveLength(49);
    expect(await approvalsOf(asked.id)).toHaveLength(1);
  });

  test('is the person’s own: a challenge of somebody else reads as none', async () => {
    const { number, phone } = await bound();
    const other = await bound();
    const sent = await ask(shop, number);
    const asked = await fetchChallenge(navbat, phone, sent.job_id);
    expect(await other.phone.call('GET', `/me/challenges/${asked.id}`)).toMatchObject({ status: 404 });
    const said = { decision: 'approve', number: sent.number } as const;
    expect(await answer(other.phone, asked, said)).toMatchObject({ status: 404 });
    expect(await answer(phone, asked, said)).toMatchObject({ status: 200 });
  });

  test('is over when time is up, and when a later send has a number of its own', async () => {
    const { number, phone } = await bound();
    const sent = await ask(shop, number, { ttl_seconds: 30 });
    const asked = await fetchChallenge(navbat, phone, sent.job_id);
    await navbat.db.query(`update challenge set expires_at = now() where id = $1`, [asked.id]);
    const { body: late } = await phone.call('GET', `/me/challenges/${asked.id}`);
    expect(late.state).toBe('expired');
    expect(await answer(phone, late, { decision: 'approve', number: sent.number })).toMatchObject({
      status: 410,
    });
    expect(await approvalsOf(asked.id)).toEqual([]);

    const first = await ask(shop, number, { purpose: 'resent' });
    const before = await fetchChallenge(navbat, phone, first.job_id);
    await navbat.db.query(`update verification set sent_at = now() - interval '31 seconds' where id = $1`, [
      first.id,
    ]);
    const { body: second } = await shop.call('POST', `/otp/${first.id}/resend`);
    expect(second).toMatchObject({ id: first.id, resend: true });
    expect(await answer(phone, before, { decision: 'approve', number: first.number })).toMatchObject({
      status: 410,
    });
    const after = await fetchChallenge(navbat, phone, second.job_id);
    expect(await answer(phone, after, { decision: 'approve', number: second.number })).toMatchObject({
      status: 200,
    });
  });

  test('a test key, whose codes reach nobody, is told no number', async () => {
    const tester = await navbat.createProject({ mode: 'test' });
    const sent = await tester.call('POST', '/otp/send', { to: newNumber(), channels: ['push'] });
    expect(sent.status).toBe(202);
    expect(sent.body).not.toHaveProperty('number');
  });

  test('shows from where it was asked, also where the send before it was asked from elsewhere', async () => {
    const { number, phone } = await bound();
    const first = await ask(shop, number, { purpose: 'from-where', client: { ip: '203.0.113.1' } });
    await navbat.db.query(`update verification set sent_at = now() - interval '1 hour' where id = $1`, [
      first.id,
    ]);
    const client = { ip: '203.0.113.2', user_agent: 'Firefox\n\n\u202E of your own' };
    const sent = await ask(shop, number, { purpose: 'from-where', client });
    expect(sent.id).not.toBe(first.id);
    const asked = await fetchChallenge(navbat, phone, sent.job_id);
    // In one line, that reads in the direction of all others.
    expect(asked.context).toMatchObject({ client: { ip: '203.0.113.2', user_agent: 'Firefox of your own' } });
    expect(await answer(phone, asked, { decision: 'approve', number: sent.number })).toMatchObject({
      status: 200,
    });
  });

  test('lets in whoever asked for it, and nobody who asked for the same person before', async () => {
    const { number, phone } = await bound();
    const stranger = await ask(shop, number, { purpose: 'enter' });
    const code = '000000';
    expect((await shop.call('POST', '/otp/verify', { id: stranger.id, code })).status).toBe(422);
    await navbat.db.query(`update verification set sent_at = now() - interval '1 hour' where id = $1`, [
      stranger.id,
    ]);
    const own = await ask(shop, number, { purpose: 'enter' });
    const asked = await fetchChallenge(navbat, phone, own.job_id);
    await answer(phone, asked, { decision: 'approve', number: own.number });
    expect(await statusOf(shop, own.id)).toMatchObject({ status: 'approved', sends: 2, checks: { used: 1 } });
    const theirs = await statusOf(shop, stranger.id);
    expect(theirs.status).toBe('cancelled');
    // Whether their send had come so far as to ask, or not.
    expect(theirs.approval?.state ?? 'never asked').not.toBe('approved');
    expect(await shop.call('POST', '/otp/verify', { id: stranger.id, code })).toMatchObject({
      status: 410,
      body: { reason: 'cancelled' },
    });
  });

  test('a number is the same in a replay of its send', async () => {
    const body = { to: newNumber(), channels: ['push'], purpose: 'replayed' };
    const headers = { 'Idempotency-Key': 'replayed-send' };
    const first = await shop.call('POST', '/otp/send', body, headers);
    const again = await shop.call('POST', '/otp/send', body, headers);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body).toEqual(first.body);
    expect(first.body.number).toMatch(/^\d{2}$/);
  });
});

describe('a no', () => {
  test('closes the verification for a project that the person knows, which is told', async () => {
    const { number, phone } = await bound();
    const receiver = await startReceiver();
    await befriend(navbat, shop, number, phone);
    const sent = await ask(shop, number, { callback_url: `${receiver.url}/said` });
    const asked = await fetchChallenge(navbat, phone, sent.job_id);
    expect(asked).toMatchObject({ known: true });
    expect(await answer(phone, asked, { decision: 'deny' })).toMatchObject({
      status: 200,
      body: { state: 'denied' },
    });
    expect(await statusOf(shop, sent.id)).toMatchObject({
      status: 'denied',
      approval: { state: 'denied' },
      jobs: [{ state: expect.stringMatching(/cancelled|completed/) }],
    });
    const told = await until(async () =>
      receiver.received.find(({ body }) => JSON.parse(body).type === 'verification.denied'),
    );
    const { body: own } = await shop.call('GET', '/webhooks/secret');
    expect(new Webhook(own.secret).verify(told.body, told.headers as Record<string, string>)).toMatchObject({
      type: 'verification.denied',
      data: { id: sent.id, state: 'denied' },
    });
    expect(told.body).not.toContain(number.slice(4));
    const code = await shop.call('POST', '/otp/verify', { id: sent.id, code: '000000' });
    expect(code).toMatchObject({ status: 410, body: { reason: 'denied' } });
  });

  test('“not mine” keeps every phone of the person silent, and hides nothing in the app', async () => {
    const { number, phone } = await bound();
    const asked = await fetchChallenge(navbat, phone, (await ask(shop, number)).job_id);
    await navbat.sandbox.waitForMessage({ to: pushTokenOf(number) });
    expect(await answer(phone, asked, { decision: 'report' })).toMatchObject({ status: 200 });
    const before = navbat.sandbox.inbox({ to: pushTokenOf(number) }).length;

    const sent = await ask(shop, number);
    const later = await fetchChallenge(navbat, phone, sent.job_id);
    await until(async () => (await pushedOf(navbat, later)) === 'paused');
    expect(navbat.sandbox.inbox({ to: pushTokenOf(number) })).toHaveLength(before);
    expect((await phone.call('GET', '/me/challenges')).body.data).toMatchObject([{ id: later.id }]);
    expect(await answer(phone, later, { decision: 'approve', number: sent.number })).toMatchObject({
      status: 200,
    });
  });
});

describe('push bombing', () => {
  test('rings a phone for strangers no more than their share, and for all no more than the hour’s', async () => {
    const { number, phone } = await bound();
    await befriend(navbat, shop, number, phone);
    const strangers = await Promise.all(
      Array.from({ length: STRANGER_PUSHES_PER_HOUR + 3 }, () => navbat.createProject()),
    );
    const bombs = await Promise.all(strangers.map((project) => ask(project, number)));
    const pushes = async () => {
      const { rows } = await navbat.db.query<{ pushed: string | null }>(
        'select pushed from challenge where person_id = $1 order by id',
        [await personOf(navbat, number)],
      );
      return rows.map(({ pushed }) => pushed);
    };
    const settled = (count: number) =>
      until(async () => {
        const all = await pushes();
        return all.length === count && all.every((pushed) => pushed !== null) && all;
      });
    const afterBombs = await settled(1 + bombs.length);
    expect(afterBombs.filter((pushed) => pushed === 'sent')).toHaveLength(1 + STRANGER_PUSHES_PER_HOUR);
    expect(afterBombs.filter((pushed) => pushed === 'limited')).toHaveLength(3);

    // The project that the person knows still rings, until the hour's are used.
    for (let asked = 0; asked < PUSHES_PER_HOUR; asked++) await ask(shop, number);
    const all = await settled(1 + bombs.length + PUSHES_PER_HOUR);
    expect(all.filter((pushed) => pushed === 'sent')).toHaveLength(PUSHES_PER_HOUR);
    await until(async () => navbat.sandbox.inbox({ to: pushTokenOf(number) }).length === PUSHES_PER_HOUR);
    // What rang nobody is in the app: first what the person knows.
    const { body } = await phone.call('GET', '/me/challenges?limit=100');
    expect(body.data.map(({ known }: { known: boolean }) => known)).toEqual([
      ...Array(PUSHES_PER_HOUR).fill(true),
      ...Array(bombs.length).fill(false),
    ]);
    const first = await phone.call('GET', '/me/challenges?limit=12');
    const rest = await phone.call('GET', `/me/challenges?limit=12&cursor=${first.body.next_cursor}`);
    expect([...first.body.data, ...rest.body.data]).toEqual(body.data);
  });
});

describe('a known project', () => {
  test('need not wait: that the app shows it ends the chain', async () => {
    const { number, phone } = await bound();
    await befriend(navbat, shop, number, phone);
    const sent = await shop.call('POST', '/otp/send', { to: number, purpose: 'seen' });
    expect(sent.body.channels).toEqual(['push', 'sms']);
    await fetchChallenge(navbat, phone, sent.body.job_id);
    const timeline = await until(async () => {
      const now = await statusOf(shop, sent.body.id);
      return now.jobs[0].state === 'completed' && now;
    });
    expect(timeline).toMatchObject({
      status: 'live',
      approval: { state: 'pending', answered_at: null },
      jobs: [{ reason: 'confirmed-by-push', attempts: [{ delivery: 'read' }] }],
    });
    expect(navbat.sandbox.inbox({ to: number }).length).toBe(1); // The code with which they signed in.
  });
});

describe('money', () => {
  const payment = { amount: '15000000', currency: 'UZS', payee: 'Korzinka' };

  test('is asked for with amount and payee, in the code’s text and in what the device shows and signs', async () => {
    const { number, phone } = await bound();
    const missing = await shop.call('POST', '/otp/send', { to: number, purpose: 'pay' });
    expect(missing).toMatchObject({ status: 400, body: { errors: [{ pointer: '/payment' }] } });
    const sent = await ask(shop, number, { purpose: 'pay', payment });
    const asked = await fetchChallenge(navbat, phone, sent.job_id);
    expect(asked.context).toEqual({ client: null, payment });
    const other = { ...asked, context: { client: null, payment: { ...payment, amount: '1' } } };
    const said = { decision: 'approve', number: sent.number } as const;
    const signature = phone.sign('navbat-approval-v1', statementOf(other, said));
    expect(await answer(phone, asked, said, { signature })).toMatchObject({ status: 422 });

    const texted = newNumber();
    await ask(shop, texted, { channels: ['sms'], purpose: 'pay', payment });
    const { text } = await navbat.sandbox.waitForMessage({ to: texted });
    expect(text).toContain('150 000.00 UZS');
    expect(text).toContain('Korzinka');
  });

  test('is not moved by a device of a day ago, and what it was asked is not used up', async () => {
    const { number, phone } = await bound();
    const sent = await ask(shop, number, { purpose: 'pay', payment });
    const asked = await fetchChallenge(navbat, phone, sent.job_id);
    const said = { decision: 'approve', number: sent.number } as const;
    expect(await answer(phone, asked, said)).toMatchObject({
      status: 403,
      body: { type: /device-too-young/ },
    });
    expect(await approvalsOf(asked.id)).toEqual([]);
    await navbat.db.query(`update device set bound_at = bound_at - interval '1 day' where id = $1`, [
      phone.id,
    ]);
    expect(await answer(phone, asked, said)).toMatchObject({ status: 200 });
    expect(JSON.parse((await approvalsOf(asked.id))[0]?.statement)).toMatchObject({ context: { payment } });
  });
});
