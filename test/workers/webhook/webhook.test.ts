import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { REPLAY_CALLS_MAX } from '../../../domain/webhook/port.ts';
import { type Received, silence, startReceiver, status } from '../../support/webhook-receiver.ts';
import { webhookBench } from './bench.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Three times as many as one endpoint has places. */
const CALLS = 12;

/** As many as an endpoint itself may ask for. */
const OWN_WAITS = 10;

const verify = (secret: string, { body, headers }: Received) =>
  new Webhook(secret).verify(body, headers as Record<string, string>) as Record<string, unknown>;
const only = <T>(list: readonly T[]): T => {
  expect(list).toHaveLength(1);
  return list[0] as T;
};

describe('a callback', () => {
  test('is signed as the standardwebhooks library verifies, and holds the event and no code or whole number', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    const project = await bench.addProject();
    const { secret } = await bench.addEndpoint(project, `${receiver.url}/hook?token=abc`);
    const { id } = await bench.approve(project);
    expect(await bench.wakeDue(project)).toEqual([{ woken: 'finished', state: 'completed', reason: null }]);

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
    const locking = await bench.pool.connect();
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

  test('to a callback_url is signed with the project’s own secret, made when it is first needed', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    const project = await bench.addProject();
    await bench.approve(project, receiver.url);
    await bench.wakeDue(project);
    const { secret } = await bench.webhooks.secret(project, bench.clock.now);
    expect(verify(secret, only(receiver.received))).toMatchObject({ type: 'verification.approved' });
  });

  test('carries a signature by the old and by the new secret for a day, and by the new one alone after it', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    const project = await bench.addProject();
    const { id, secret: old } = await bench.addEndpoint(project, receiver.url);
    const rotated = await bench.webhooks.rotate(project, id, bench.clock.now);
    if (!rotated) throw new Error('no such endpoint');
    expect(rotated.earlierUntil).toEqual(new Date(bench.clock.now.getTime() + DAY_MS));

    await bench.approve(project);
    await bench.wakeDue(project);
    const request = only(receiver.received);
    expect(request.headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/);
    verify(old, request);
    verify(rotated.secret, request);

    bench.forward(DAY_MS);
    await bench.approve(project);
    await bench.wakeDue(project);
    const later = receiver.received[1] as Received;
    expect(later.headers['webhook-signature']).toMatch(/^v1,\S+$/);
    expect(later.headers['webhook-signature']).not.toBe(request.headers['webhook-signature']);
    const { rows } = await bench.pool.query(`select string_agg(sealed::text, '') text from webhook_secret`);
    expect(rows[0].text).not.toContain(Buffer.from(rotated.secret).toString('hex'));
  });

  test('goes to those endpoints alone that are enabled, take its type and are of its project', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    const [project, other] = [await bench.addProject(), await bench.addProject()];
    await bench.addEndpoint(project, `${receiver.url}/all`);
    await bench.addEndpoint(project, `${receiver.url}/approved`, ['verification.approved']);
    await bench.addEndpoint(project, `${receiver.url}/broadcasts`, ['broadcast.finished']);
    const off = await bench.addEndpoint(project, `${receiver.url}/off`);
    await bench.webhooks.change(project, off.id, { enabled: false }, bench.clock.now);
    const gone = await bench.addEndpoint(project, `${receiver.url}/removed`);
    await bench.webhooks.remove(project, gone.id, bench.clock.now);
    await bench.addEndpoint(other, `${receiver.url}/other`);
    await bench.approve(project);
    await bench.wakeDue(project);
    await bench.wakeDue(other);
    expect(receiver.received.map(({ path }) => path).toSorted()).toEqual(['/all', '/approved']);
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
    expect(await bench.webhooks.replay(live, eventId, null, now)).toEqual({ replayed: 'no-event' });
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
    await client.query(`update verification set state = 'spent', closed_at = now() where id = $1`, [id]);
    const inside = await client.query(`select type from webhook_event`);
    expect(inside.rows).toEqual([{ type: 'verification.spent' }]);
    await client.query('rollback');
    client.release();
    expect(await bench.jobRows(project)).toEqual([]);
  });

  test('for every end of a verification and of its code’s job', async () => {
    const bench = await webhookBench();
    const project = await bench.addProject();
    await bench.addEndpoint(project, 'http://127.0.0.1:1024/');
    for (const state of ['approved', 'expired', 'cancelled', 'spent']) {
      const { id } = await bench.addVerification(project);
      await bench.pool.query(`update verification set state = $2, closed_at = now() where id = $1`, [
        id,
        state,
      ]);
    }
    for (const state of ['completed', 'rejected', 'exhausted', 'expired', 'cancelled']) {
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
      ...['approved', 'expired', 'cancelled', 'spent'].map((state) => ({
        type: `verification.${state}`,
        state: null,
        reason: null,
      })),
      { type: 'verification.delivered', state: 'completed', reason: 'why' },
      ...['rejected', 'exhausted', 'expired'].map((state) => ({
        type: 'verification.failed',
        state,
        reason: 'why',
      })),
    ]);
    const called = await bench.pool.query(`select count(*)::int n from lane_call where kind = 'webhook'`);
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

describe('an endpoint', () => {
  test('that times out costs an attempt, is in the log, and is tried again after five seconds', async () => {
    const bench = await webhookBench({ attemptTimeoutMs: 300 });
    const receiver = await startReceiver();
    receiver.answer(silence);
    const project = await bench.addProject();
    const { id } = await bench.addEndpoint(project, receiver.url);
    await bench.approve(project);
    const [woken] = await bench.wakeDue(project);
    expect(woken).toEqual({
      woken: 'waiting',
      until: new Date(bench.clock.now.getTime() + 5_000),
      failed: null,
    });
    const log = await bench.webhooks.deliveries(project, { endpoint: id }, { limit: 10, after: null });
    expect(only(log.rows)).toMatchObject({
      attempt: 1,
      outcome: 'unknown',
      reason: 'timeout',
      statusCode: null,
    });

    receiver.answer(status(200));
    bench.forward(5_000);
    expect(await bench.wakeDue(project)).toEqual([{ woken: 'finished', state: 'completed', reason: null }]);
    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual(
      Array(2).fill(receiver.received[0]?.headers['webhook-id']),
    );
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
  });

  test('that redirects is tried again on the whole curve, and then given up', async () => {
    const bench = await webhookBench();
    const [receiver, inside] = [await startReceiver(), await startReceiver()];
    receiver.answer(status(307, { location: `${inside.url}/admin` }));
    const project = await bench.addProject();
    await bench.addEndpoint(project, receiver.url);
    await bench.approve(project);
    const started = bench.clock.now.getTime();
    const at = [0];
    let woken = only(await bench.wakeDue(project));
    for (; woken.woken === 'waiting'; woken = only(await bench.wakeDue(project))) {
      bench.clock.now = woken.until;
      at.push(woken.until.getTime() - started);
    }
    expect(woken).toEqual({ woken: 'finished', state: 'exhausted', reason: 'http-3xx' });
    const curve = [
      5_000,
      5 * MINUTE_MS,
      30 * MINUTE_MS,
      ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR_MS),
    ];
    expect(at).toEqual([
      0,
      ...curve.map((_, index) => curve.slice(0, index + 1).reduce((sum, ms) => sum + ms)),
    ]);
    expect(receiver.received).toHaveLength(10);
    expect(inside.received).toHaveLength(0);
  });

  test('that failed waits for its jittered pause once, whatever is drawn when it wakes', async () => {
    const draws = [0, 0];
    const bench = await webhookBench({ random: () => draws.shift() ?? 1 });
    const receiver = await startReceiver();
    receiver.answer(status(500));
    const project = await bench.addProject();
    await bench.addEndpoint(project, receiver.url);
    await bench.approve(project);
    // The draw before the attempt decides nothing.
    const woken = only(await bench.wakeDue(project));
    if (woken.woken !== 'waiting') throw new Error(woken.state);
    bench.clock.now = woken.until;
    receiver.answer(status(200));
    expect(await bench.wakeDue(project)).toMatchObject([{ state: 'completed' }]);
  });

  test('that asks for time is given it, up to an hour and ten times, without using up its tries', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    const project = await bench.addProject();
    await bench.addEndpoint(project, receiver.url);
    await bench.approve(project);
    const waited = async (answer: ReturnType<typeof status>) => {
      receiver.answer(answer);
      const woken = only(await bench.wakeDue(project));
      if (woken.woken !== 'waiting') throw new Error(woken.state);
      const ms = woken.until.getTime() - bench.clock.now.getTime();
      bench.clock.now = woken.until;
      return ms;
    };
    expect(await waited(status(429, { 'retry-after': '7' }))).toBe(7_000);
    expect(await waited(status(503, { 'retry-after': '86400' }))).toBe(HOUR_MS);
    const date = new Date(bench.clock.now.getTime() + 90_000);
    date.setMilliseconds(0);
    expect(await waited(status(503, { 'retry-after': date.toUTCString() }))).toBeGreaterThan(88_000);
    // After three times it is asked less and less, whatever it says.
    for (const seconds of [4, 8, 16, 32, 64, 128, 256])
      expect(await waited(status(429, { 'retry-after': '0' }))).toBe(seconds * 1_000);
    // The eleventh time it is failing like any other: the curve begins.
    expect(await waited(status(429, { 'retry-after': '7' }))).toBe(5_000);
    expect(await waited(status(503))).toBe(5 * MINUTE_MS);
  });

  test('that asks for time after many waits for our own pace is given it: those were not its own', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    const project = await bench.addProject();
    await bench.addEndpoint(project, receiver.url);
    await bench.approve(project);
    const { id } = only(await bench.jobRows(project));
    await bench.pool.query(
      `insert into attempt (job_id, n, project_id, channel, provider, opened_at, closed_at, outcome, reason, retry_after_ms)
       select $1, n, $2, 'webhook', 'endpoint', $3, $3, 'snoozed', 'own-pace', 0 from generate_series(1, $4) n`,
      [id, project.projectId, new Date(bench.clock.now.getTime() - HOUR_MS), OWN_WAITS],
    );
    await bench.pool.query('update job set attempts = $2 where id = $1', [id, OWN_WAITS]);
    receiver.answer(status(429, { 'retry-after': '7' }));
    expect(await bench.wakeDue(project)).toEqual([
      expect.objectContaining({ woken: 'waiting', until: new Date(bench.clock.now.getTime() + 7_000) }),
    ]);
  });

  test('that answers 410 is disabled at once, and what waits for it is rejected', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    receiver.answer(status(410));
    const project = await bench.addProject();
    const { id } = await bench.addEndpoint(project, receiver.url);
    await bench.approve(project);
    expect(await bench.wakeDue(project)).toEqual([
      { woken: 'finished', state: 'rejected', reason: 'endpoint-gone' },
    ]);
    expect(await bench.webhooks.endpoint(project, id)).toMatchObject({ disabledReason: 'gone' });
    await bench.approve(project);
    expect(await bench.jobRows(project)).toHaveLength(1);
  });

  test('that answers 500 for five days is disabled and its owner told; enabling clears it', async () => {
    const bench = await webhookBench();
    const [dead, well] = [await startReceiver(), await startReceiver()];
    dead.answer(status(500, {}, 'Internal Server Error'));
    const project = await bench.addProject();
    const { id } = await bench.addEndpoint(project, dead.url);
    const { secret } = await bench.addEndpoint(project, well.url, ['endpoint.disabled']);
    const begun = bench.clock.now.getTime();
    // One verification in six hours, and every retry at its time.
    for (let hour = 0; hour < 5 * 24; hour++) {
      if (hour % 6 === 0) await bench.approve(project);
      await bench.wakeDue(project);
      expect(await bench.webhooks.endpoint(project, id), `hour ${hour}`).toMatchObject({
        disabledAt: null,
        failingSince: new Date(begun),
      });
      bench.forward(HOUR_MS);
    }
    await bench.approve(project);
    await bench.wakeDue(project);
    expect(await bench.webhooks.endpoint(project, id)).toMatchObject({
      disabledReason: 'failing',
      disabledAt: new Date(begun + 5 * DAY_MS),
    });
    await bench.wakeDue(project);
    expect(verify2(secret, only(well.received), bench.clock.now)).toMatchObject({
      type: 'endpoint.disabled',
      data: { id, reason: 'failing', failing_since: expect.any(String) },
    });
    const audit = await bench.pool.query(`select action, detail from audit where subject = $1`, [id]);
    expect(audit.rows).toMatchObject([
      { action: 'webhook.disabled', detail: { reason: 'failing', project: project.projectId } },
    ]);

    const calls = dead.received.length;
    bench.forward(DAY_MS);
    await bench.wakeDue(project);
    expect(dead.received).toHaveLength(calls);
    const states = await bench.jobRows(project);
    expect(states.filter(({ state }) => state === 'accepted' || state === 'running')).toEqual([]);

    dead.answer(status(200));
    expect(await bench.webhooks.change(project, id, { enabled: true }, bench.clock.now)).toMatchObject({
      disabledAt: null,
      disabledReason: null,
      failingSince: null,
    });
    const range = { from: new Date(begun), to: bench.clock.now, endpointId: id, undeliveredOnly: true };
    const replayed = await bench.webhooks.replayRange(project, range, 'replay', bench.clock.now);
    // 21 approvals; the notice of its own disabling is an event of the project too.
    expect(replayed).toEqual({ replayed: 'done', events: 22, calls: 22 });
  }, 120_000);

  test('that fails for long, with one success in between, stays enabled', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    receiver.answer(status(500));
    const project = await bench.addProject();
    const { id } = await bench.addEndpoint(project, receiver.url);
    for (let day = 0; day < 9; day++) {
      receiver.answer(status(day === 4 ? 200 : 500));
      await bench.approve(project);
      await bench.wakeDue(project);
      bench.forward(DAY_MS);
    }
    expect(await bench.webhooks.endpoint(project, id)).toMatchObject({ disabledAt: null });
  });
});

describe('a replay', () => {
  test('of one event sends the same id and body again, and twice at once sends it once', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    const project = await bench.addProject();
    const { id, secret } = await bench.addEndpoint(project, receiver.url, ['verification.approved']);
    await bench.approve(project);
    await bench.wakeDue(project);
    const eventId = only(await bench.jobRows(project)).payload.event_id;
    const replays = await Promise.all(
      [1, 2, 3].map(() => bench.webhooks.replay(project, eventId, null, bench.clock.now)),
    );
    expect(replays.map((each) => ('calls' in each ? each.calls : -1)).toSorted((a, b) => a - b)).toEqual([
      0, 0, 1,
    ]);
    await bench.wakeDue(project);
    expect(receiver.received).toHaveLength(2);
    const [first, second] = receiver.received as [Received, Received];
    expect(second.body).toBe(first.body);
    expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
    verify(secret, second);

    const other = await bench.addProject();
    expect(await bench.webhooks.replay(other, eventId, null, bench.clock.now)).toEqual({
      replayed: 'no-event',
    });
    expect(await bench.webhooks.replay(other, eventId, id, bench.clock.now)).toEqual({
      replayed: 'no-event',
    });
    expect(await bench.webhooks.event(other, eventId)).toBeNull();
  });

  test('of a range counts first, and takes what was not delivered alone where it is asked to', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    const project = await bench.addProject();
    const { id } = await bench.addEndpoint(project, receiver.url);
    const from = bench.clock.now;
    for (let n = 0; n < 4; n++) {
      receiver.answer(status(n < 2 ? 200 : 410));
      await bench.approve(project);
      await bench.wakeDue(project);
      await bench.webhooks.change(project, id, { enabled: true }, bench.clock.now);
      bench.forward(MINUTE_MS);
    }
    receiver.answer(status(200));
    const range = { from, to: bench.clock.now, endpointId: null, undeliveredOnly: false };
    const undelivered = { ...range, undeliveredOnly: true };
    const order = (how: 'count' | 'replay', asked: typeof range) =>
      bench.webhooks.replayRange(project, asked, how, bench.clock.now);
    expect(await order('count', range)).toMatchObject({ replayed: 'counted', events: 4, calls: 4 });
    expect(await order('count', { ...range, to: new Date(from.getTime() + MINUTE_MS) })).toMatchObject({
      calls: 1,
    });
    expect(await order('replay', undelivered)).toMatchObject({ replayed: 'done', calls: 2 });
    await bench.wakeDue(project);
    expect(receiver.received).toHaveLength(6);
    expect(await order('count', undelivered)).toMatchObject({ calls: 0 });
  });

  test('of more than may be is refused with its count, and sends nothing', async () => {
    const bench = await webhookBench();
    const project = await bench.addProject();
    await bench.addEndpoint(project, 'http://127.0.0.1:1024/');
    await bench.pool.query(
      `insert into webhook_event (id, project_id, mode, type, subject_id, data, happened_at)
       select uuidv7(), $1, 'live', 'message.sent', $1, '{}', $2 from generate_series(1, $3)`,
      [project.projectId, bench.clock.now, REPLAY_CALLS_MAX + 1],
    );
    const range = {
      from: bench.clock.now,
      to: new Date(bench.clock.now.getTime() + 1),
      endpointId: null,
      undeliveredOnly: false,
    };
    expect(await bench.webhooks.replayRange(project, range, 'replay', bench.clock.now)).toMatchObject({
      replayed: 'too-many',
    });
    expect(await bench.jobRows(project)).toEqual([]);
  });

  test('to a disabled endpoint is refused; a test reaches one endpoint whatever it takes', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    const project = await bench.addProject();
    const { id, secret } = await bench.addEndpoint(project, receiver.url, ['broadcast.finished']);
    await bench.addEndpoint(project, `${receiver.url}/other`);
    const sent = await bench.webhooks.test(project, id, 'request-9', bench.clock.now);
    await bench.wakeDue(project);
    expect(verify(secret, only(receiver.received))).toMatchObject({ type: 'test' });
    if (typeof sent === 'string') throw new Error(sent);
    expect(await bench.webhooks.event(project, sent.eventId)).toMatchObject({
      ways: [{ endpointId: id, state: 'completed', attemptCount: 1, nextAt: null }],
    });
    await bench.webhooks.change(project, id, { enabled: false }, bench.clock.now);
    expect(await bench.webhooks.test(project, id, 'r', bench.clock.now)).toBe('endpoint-disabled');
    expect(await bench.webhooks.replay(project, sent.eventId, id, bench.clock.now)).toEqual({
      replayed: 'endpoint-disabled',
    });
  });
});

/** The library compares with its own clock, and refuses what is five minutes off: the signature is checked by hand of time. */
function verify2(secret: string, request: Received, now: Date): Record<string, unknown> {
  const signed = new Webhook(secret).sign(request.headers['webhook-id'] as string, now, request.body);
  expect(request.headers['webhook-signature']).toBe(signed);
  return JSON.parse(request.body) as Record<string, unknown>;
}
