import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { signWebhook } from '../../../infra/webhook/sign.ts';

const message = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestampSeconds: 1_614_265_330,
  body: '{"test": 2432232314}',
};

test('the example of Standard Webhooks is signed as its specification has it', () => {
  expect(signWebhook(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], message)).toBe(
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  );
});

test('each secret signs, the current one first, so that a receiver may change it within a day', () => {
  const secrets = [1, 2].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`);
  const byHand = [1, 2].map((byte) =>
    createHmac('sha256', Buffer.alloc(32, byte))
      .update(`${message.id}.${message.timestampSeconds}.${message.body}`)
      .digest('base64'),
  );
  expect(signWebhook(secrets, message)).toBe(byHand.map((mac) => `v1,${mac}`).join(' '));
});

test('another id, time or body is another signature', () => {
  const sign = (more: object) => signWebhook(['whsec_AAAA'], { ...message, ...more });
  const all = [sign({}), sign({ id: 'other' }), sign({ timestampSeconds: 1 }), sign({ body: '{}' })];
  expect(new Set(all).size).toBe(all.length);
});
