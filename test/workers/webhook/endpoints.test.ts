import { describe, expect, test } from 'vitest';
import { silence, startReceiver, status } from '../../support/webhook-receiver.ts';
import { only, webhookBench } from './bench.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * 60_000;

/** As many as an endpoint itself may ask for. */
const OWN_WAITS = 10;

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
      kind: 'waiting',
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
    expect(await bench.wakeDue(project)).toEqual([{ kind: 'finished', state: 'completed', reason: null }]);
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
    for (; woken.kind === 'waiting'; woken = only(await bench.wakeDue(project))) {
      bench.clock.now = woken.until;
      at.push(woken.until.getTime() - started);
    }
    expect(woken).toEqual({ kind: 'finished', state: 'failed', reason: 'http-3xx' });
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
    if (woken.kind !== 'waiting') throw new Error(woken.state);
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
      if (woken.kind !== 'waiting') throw new Error(woken.state);
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
      expect.objectContaining({ kind: 'waiting', until: new Date(bench.clock.now.getTime() + 7_000) }),
    ]);
  });
});
