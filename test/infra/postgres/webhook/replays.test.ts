import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { REPLAY_CALLS_MAX } from '../../../../domain/webhook/port.ts';
import { type Received, startReceiver, status } from '../../../support/webhook-receiver.ts';
import { only, webhookBench } from '../../../workers/webhook/bench.ts';

const MINUTE_MS = 60_000;

const verify = (secret: string, { body, headers }: Received) =>
  new Webhook(secret).verify(body, headers as Record<string, string>) as Record<string, unknown>;

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
      kind: 'no-event',
    });
    expect(await bench.webhooks.replay(other, eventId, id, bench.clock.now)).toEqual({
      kind: 'no-event',
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
    expect(await order('count', range)).toMatchObject({ kind: 'counted', events: 4, calls: 4 });
    expect(await order('count', { ...range, to: new Date(from.getTime() + MINUTE_MS) })).toMatchObject({
      calls: 1,
    });
    expect(await order('replay', undelivered)).toMatchObject({ kind: 'done', calls: 2 });
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
      kind: 'too-many',
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
      kind: 'endpoint-disabled',
    });
  });
});
