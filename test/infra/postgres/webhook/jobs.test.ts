import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { isFinal } from '../../../../domain/job/job.ts';
import { type Received, startReceiver, status } from '../../../support/webhook-receiver.ts';
import { only, webhookBench } from '../../../workers/webhook/bench.ts';

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

describe('an endpoint', () => {
  test('that answers 410 is disabled at once, and what waits for it is rejected', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    receiver.answer(status(410));
    const project = await bench.addProject();
    const { id } = await bench.addEndpoint(project, receiver.url);
    await bench.approve(project);
    expect(await bench.wakeDue(project)).toEqual([
      { kind: 'finished', state: 'rejected', reason: 'endpoint-gone' },
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
    expect(verifyAt(secret, only(well.received), bench.clock.now)).toMatchObject({
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
    expect(states.filter(({ state }) => !isFinal(state))).toEqual([]);

    dead.answer(status(200));
    expect(await bench.webhooks.change(project, id, { enabled: true }, bench.clock.now)).toMatchObject({
      disabledAt: null,
      disabledReason: null,
      failingSince: null,
    });
    const range = { from: new Date(begun), to: bench.clock.now, endpointId: id, undeliveredOnly: true };
    const replayed = await bench.webhooks.replayRange(project, range, 'replay', bench.clock.now);
    // 21 approvals; the notice of its own disabling is an event of the project too.
    expect(replayed).toEqual({ kind: 'done', events: 22, calls: 22 });
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

/** The library compares with its own clock, and refuses what is five minutes off: so this one takes the time as an argument. */
function verifyAt(secret: string, request: Received, now: Date): Record<string, unknown> {
  const signed = new Webhook(secret).sign(request.headers['webhook-id'] as string, now, request.body);
  expect(request.headers['webhook-signature']).toBe(signed);
  return JSON.parse(request.body) as Record<string, unknown>;
}
