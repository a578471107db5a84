import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { type Received, startReceiver } from '../../../support/webhook-receiver.ts';
import { only, webhookBench } from '../../../workers/webhook/bench.ts';

const DAY_MS = 24 * 60 * 60_000;

const verify = (secret: string, { body, headers }: Received) =>
  new Webhook(secret).verify(body, headers as Record<string, string>) as Record<string, unknown>;

describe('a callback', () => {
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
    const { rows } = await bench.pool.query(
      `select string_agg(encrypted::text, '') text from webhook_secret`,
    );
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
});
