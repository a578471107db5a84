import { expect, test } from 'vitest';
import { PushContent } from '../../../../domain/message/push/message.ts';
import type { PushTarget } from '../../../../domain/message/push/port.ts';
import { fcmClient } from '../../../../infra/providers/push/fcm-client.ts';
import { pushSender } from '../../../../infra/providers/message/push-sender.ts';
import { freshSandbox } from '../../../apps/sandbox/support.ts';
import { deadline } from '../support.ts';

const NOW = new Date('2026-11-20T10:00:00Z');
const IN_AN_HOUR = String(NOW.getTime() / 1_000 + 3_600);
const TOKEN = 'fcm-token-of-a-phone:APA91bExample';

const send = (sandboxUrl: string, content: object, to: PushTarget = { token: TOKEN }) =>
  pushSender(fcmClient({ sandboxUrl }), () => NOW).send(
    { to, content: PushContent.parse(content) },
    deadline(),
  );

const content = { notification: { title: 'Hi' } };

test('a push arrives with all that was asked of both platforms', async () => {
  const sandbox = await freshSandbox();
  const reply = await send(sandbox.url, {
    notification: { title: 'To‘lov', body: '12 000 so‘m', image: 'https://navbat.uz/a.png' },
    data: { screen: 'wallet' },
    android: { priority: 'high', channel_id: 'money' },
    apns: { badge: 3, sound: 'coin.caf' },
    ttl_seconds: 3_600,
    collapse_key: 'wallet',
  });
  const [received] = sandbox.inbox({ to: TOKEN });
  expect(reply).toMatchObject({ kind: 'accepted', reference: received?.provider_reference, cost: null });
  expect(received?.details).toMatchObject({
    notification: { title: 'To‘lov', body: '12 000 so‘m', image: 'https://navbat.uz/a.png' },
    data: { screen: 'wallet' },
    android: {
      priority: 'high',
      ttl: '3600s',
      collapse_key: 'wallet',
      notification: { channel_id: 'money', tag: 'wallet' },
    },
    apns: {
      headers: {
        'apns-expiration': IN_AN_HOUR,
        'apns-priority': '10',
        'apns-push-type': 'alert',
        'apns-collapse-id': 'wallet',
      },
      payload: { aps: { badge: 3, sound: 'coin.caf' } },
    },
    webpush: { headers: { TTL: '3600' } },
  });
});

test('data alone wakes the app in the background, and dies at once where its life is 0', async () => {
  const sandbox = await freshSandbox();
  await send(sandbox.url, { data: { sync: '1' }, ttl_seconds: 0 });
  expect(sandbox.inbox()[0]?.details).toMatchObject({
    data: { sync: '1' },
    android: { ttl: '0s' },
    apns: {
      headers: { 'apns-expiration': '0', 'apns-priority': '5', 'apns-push-type': 'background' },
      payload: { aps: { 'content-available': 1 } },
    },
    webpush: { headers: { TTL: '0' } },
  });
});

test('an installation id stands where a token stood, and dies of the same answer', async () => {
  const sandbox = await freshSandbox();
  await send(sandbox.url, content, { fid: 'cQ1w2e3r4t5y6u7i8o9p0a' });
  expect(sandbox.inbox({ to: 'cQ1w2e3r4t5y6u7i8o9p0a' })).toMatchObject([
    { details: { fid: 'cQ1w2e3r4t5y6u7i8o9p0a' } },
  ]);
  sandbox.orderFaults({ channel: 'push', effect: 'reject', code: 'UNREGISTERED' });
  expect(await send(sandbox.url, content, { fid: 'cQ1w2e3r4t5y6u7i8o9p0a' })).toMatchObject({
    kind: 'refused',
    addressIsDead: true,
  });
});

test('a topic is reached by its name', async () => {
  const sandbox = await freshSandbox();
  const content = { notification: { title: 'News' } };
  expect(await send(sandbox.url, content, { topic: 'news' })).toMatchObject({ kind: 'accepted' });
  expect(sandbox.inbox()).toMatchObject([{ to: '/topics/news', text: 'News' }]);
});
