import { expect, test } from 'vitest';
import { PushContent } from '../../../../domain/message/push/message.ts';
import type { PushTarget } from '../../../../domain/message/push/port.ts';
import { fcmClient } from '../../../../infra/providers/push/fcm-client.ts';
import { pushSender } from '../../../../infra/providers/message/push-sender.ts';
import { freshSandbox } from '../../../apps/sandbox/support.ts';
import { answering, deadline, http } from '../support.ts';

const NOW = new Date('2026-11-20T10:00:00Z');
const TOKEN = 'fcm-token-of-a-phone:APA91bExample';

const send = (sandboxUrl: string, content: object, to: PushTarget = { token: TOKEN }) =>
  pushSender(fcmClient({ sandboxUrl }), () => NOW).send(
    { to, content: PushContent.parse(content) },
    deadline(),
  );

const content = { notification: { title: 'Hi' } };

test.each([
  { code: 'UNREGISTERED', reason: 'token-unregistered', addressIsDead: true },
  { code: 'SENDER_ID_MISMATCH', reason: 'token-of-another-app', addressIsDead: false },
  { code: 'INVALID_ARGUMENT', reason: 'message-invalid', addressIsDead: false },
  { code: 'THIRD_PARTY_AUTH_ERROR', reason: 'credentials', addressIsDead: false },
])('$code is final, and condemns the token: $addressIsDead', async ({ code, ...refusal }) => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'push', effect: 'reject', code });
  expect(await send(sandbox.url, content)).toMatchObject({ kind: 'refused', ...refusal });
});

test('no topic and no bare 404 condemns an address', async () => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'push', effect: 'reject', code: 'UNREGISTERED' });
  expect(await send(sandbox.url, content, { topic: 'news' })).toMatchObject({ addressIsDead: false });
  const bare = await answering(http('404 No', '{"error":{"code":404,"status":"NOT_FOUND","message":"No."}}'));
  expect(await send(bare, content)).toMatchObject({ kind: 'refused', addressIsDead: false });
});

test.each([
  {
    fault: { effect: 'rate-limit', retry_after_seconds: 7 },
    reply: { kind: 'busy', retryAfterMs: 7_000 },
  },
  {
    fault: { effect: 'server-error', status: 503 },
    reply: { kind: 'faulted', reason: 'provider-unavailable' },
  },
  { fault: { effect: 'hang-after', hang_ms: 0 }, reply: { kind: 'unknown', reason: 'connection-lost' } },
] as const)('$fault.effect is $reply.reply, and the address lives on', async ({ fault, reply }) => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'push', ...fault });
  expect(await send(sandbox.url, content)).toMatchObject(reply);
});
