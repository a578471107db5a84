import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { type Received, startReceiver } from '../../../support/webhook-receiver.ts';
import { only, webhookBench } from '../../../workers/webhook/bench.ts';

const verify = (secret: string, { body, headers }: Received) =>
  new Webhook(secret).verify(body, headers as Record<string, string>) as Record<string, unknown>;

describe('a callback', () => {
  test('to a callback_url is signed with the project’s own secret, made when it is first needed', async () => {
    const bench = await webhookBench();
    const receiver = await startReceiver();
    const project = await bench.addProject();
    await bench.approve(project, receiver.url);
    await bench.wakeDue(project);
    const { secret } = await bench.webhooks.secret(project, bench.clock.now);
    expect(verify(secret, only(receiver.received))).toMatchObject({ type: 'verification.approved' });
  });
});
