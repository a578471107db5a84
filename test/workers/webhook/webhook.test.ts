import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { type Received, startReceiver } from '../../support/webhook-receiver.ts';
import { only, webhookBench } from './bench.ts';

const MINUTE_MS = 60_000;

/** Three times as many as one endpoint has places. */
const CALLS = 12;

const verify = (secret: string, { body, headers }: Received) =>
  new Webhook(secret).verify(body, headers as Record<string, string>) as Record<string, unknown>;

describe('a callback', () => {
  test('is signed as the standardwebhooks library verifies, and holds the event and no code or whole number', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    const project = await bench.addProject();
    const { secret } = await bench.addEndpoint(project, `${receiver.url}/hook?token=abc`);
    const { id } = await bench.approve(project);
    expect(await bench.wakeDue(project)).toEqual([{ kind: 'finished', state: 'completed', reason: null }]);

    const request = only(receiver.received);
    expect(request.path).toBe('/hook?token=abc');
    expect(verify(secret, request)).toMatchObject({
      type: 'verification.approved',
      timestamp: bench.clock.now.toISOString(),
      data: { id, state: 'approved', purpose: 'login', to: '+998•••••••67', metadata: { order: '4711' } },
    });
    expect(request.body).not.toMatch(/901234567|code/);
    expect(() => verify(secret, { ...request, body: `${request.body} ` })).toThrow('No matching signature');
    expect(() => verify(`whsec_${Buffer.alloc(32).toString('base64')}`, request)).toThrow(
      'No matching signature',
    );
  });

  test('gives its place at the endpoint back when it is answered, and its job ends when that is in the log', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    const project = await bench.addProject();
    await bench.addEndpoint(project, receiver.url);
    await bench.emit(project, CALLS);
    bench.forward(MINUTE_MS);
    const locking = await bench.owner.connect();
    await locking.query('begin');
    await locking.query('lock table webhook_delivery in exclusive mode');
    const woken = bench.wakeDue(project).catch((error: unknown) => error);
    try {
      await expect.poll(() => receiver.received.length).toBe(CALLS);
      expect((await bench.jobRows(project)).map(({ state }) => state)).not.toContain('completed');
    } finally {
      await locking.query('rollback');
      locking.release();
      await woken;
    }
  });

  test('of a test key goes to the endpoints of test keys alone, and neither mode sees the other', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    const live = await bench.addProject();
    const tests = { ...live, mode: 'test' } as const;
    const liveEndpoint = await bench.addEndpoint(live, `${receiver.url}/live`);
    const { secret } = await bench.addEndpoint(tests, `${receiver.url}/test`);
    await bench.approve(tests);
    await bench.wakeDue(live);
    const request = only(receiver.received);
    expect(request.path).toBe('/test');
    expect(verify(secret, request)).toMatchObject({ data: { mode: 'test' } });

    const now = bench.clock.now;
    const eventId = only(await bench.jobRows(live)).payload.event_id;
    expect(await bench.webhooks.event(live, eventId)).toBeNull();
    expect(await bench.webhooks.event(tests, eventId)).not.toBeNull();
    expect((await bench.webhooks.deliveries(live, {}, { limit: 10, after: null })).rows).toEqual([]);
    expect(await bench.webhooks.replay(live, eventId, null, now)).toEqual({ kind: 'no-event' });
    expect(await bench.webhooks.change(tests, liveEndpoint.id, { enabled: false }, now)).toBeNull();
    expect(await bench.webhooks.rotate(tests, liveEndpoint.id, now)).toBeNull();
    expect(await bench.webhooks.remove(tests, liveEndpoint.id, now)).toBe(false);
    const secrets = [await bench.webhooks.secret(live, now), await bench.webhooks.secret(tests, now)];
    expect(new Set(secrets.map((each) => each.secret)).size).toBe(2);
  });

  test('is not written at all where nobody listens', async () => {
    const bench = await webhookBench();
    const project = await bench.addProject();
    await bench.approve(project);
    const { rows } = await bench.pool.query(
      `select (select count(*) from webhook_event) + (select count(*) from job where kind = 'webhook') n`,
    );
    expect(rows[0].n).toBe('0');
  });
});

describe('an event is written in the very commit of what it tells of', () => {
  test('and is gone with it where that is rolled back', async () => {
    const bench = await webhookBench();
    const project = await bench.addProject();
    await bench.addEndpoint(project, 'http://127.0.0.1:1024/');
    const { id } = await bench.addVerification(project);
    const client = await bench.pool.connect();
    await client.query('begin');
    await client.query(
      `update verification set state = 'max-checks-reached', closed_at = now() where id = $1`,
      [id],
    );
    const inside = await client.query(`select type from webhook_event`);
    expect(inside.rows).toEqual([{ type: 'verification.max_checks_reached' }]);
    await client.query('rollback');
    client.release();
    expect(await bench.jobRows(project)).toEqual([]);
  });

  test('for every end of a verification and of its code’s job', async () => {
    const bench = await webhookBench();
    const project = await bench.addProject();
    await bench.addEndpoint(project, 'http://127.0.0.1:1024/');
    for (const state of ['approved', 'expired', 'cancelled', 'max-checks-reached']) {
      const { id } = await bench.addVerification(project);
      await bench.pool.query(`update verification set state = $2, closed_at = now() where id = $1`, [
        id,
        state,
      ]);
    }
    for (const state of ['completed', 'rejected', 'failed', 'expired', 'cancelled']) {
      const { jobId } = await bench.addVerification(project);
      await bench.pool.query(`update job set state = $2, reason = 'why', finished_at = now() where id = $1`, [
        jobId,
        state,
      ]);
    }
    const { rows } = await bench.pool.query(
      `select type, data ->> 'job_state' state, data ->> 'reason' reason from webhook_event order by id`,
    );
    expect(rows).toEqual([
      ...['approved', 'expired', 'cancelled', 'max_checks_reached'].map((state) => ({
        type: `verification.${state}`,
        state: null,
        reason: null,
      })),
      { type: 'verification.delivered', state: 'completed', reason: 'why' },
      ...['rejected', 'failed', 'expired'].map((state) => ({
        type: 'verification.failed',
        state,
        reason: 'why',
      })),
    ]);
    const called = await bench.pool.query(`select count(*)::int n from turn_request where kind = 'webhook'`);
    expect(called.rows[0].n).toBe(8);
  });
});

describe('a broadcast', () => {
  test('tells of each message, and of its own end with the count of each', async () => {
    const bench = await webhookBench();
    const project = await bench.addProject();
    await bench.addEndpoint(project, 'http://127.0.0.1:1024/');
    const { rows } = await bench.pool.query<{ id: string }>(
      `insert into broadcast (id, project_id, mode, kind, content, total, send_at, expires_at, created_at)
       values (uuidv7(), $1, 'live', 'push', '{}', 3, now(), now(), now()) returning id`,
      [project.projectId],
    );
    const broadcast = only(rows).id;
    await bench.pool.query(
      `insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
       select uuidv7(), 'push', $1, $2, '{}', '{"to": "device"}', now(), now(), now() from generate_series(1, 3)`,
      [project.projectId, broadcast],
    );
    for (const state of ['completed', 'rejected', 'cancelled'])
      await bench.pool.query(
        `update job set state = $2, reason = 'why', finished_at = now()
         where id = (select min(id::text)::uuid from job where subject_id = $1 and finished_at is null)`,
        [broadcast, state],
      );
    await bench.pool.query(`update broadcast set state = 'finished', finished_at = now() where id = $1`, [
      broadcast,
    ]);
    const events = await bench.pool.query(`select type, data from webhook_event order by id`);
    expect(events.rows).toMatchObject([
      {
        type: 'message.sent',
        data: { kind: 'push', broadcast_id: broadcast, to: 'device', state: 'completed' },
      },
      { type: 'message.failed', data: { state: 'rejected', reason: 'why' } },
      {
        type: 'broadcast.finished',
        data: { id: broadcast, total: 3, sent: 1, failed: 1, cancelled: 1, waiting: 0 },
      },
    ]);
  });
});
