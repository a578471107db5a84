import { Agent } from 'node:https';
import { connect } from 'node:net';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { FirebaseMessagingError, getMessaging, type Message } from 'firebase-admin/messaging';
import { expect, onTestFinished, test } from 'vitest';
import type { Sandbox } from '../../../apps/sandbox/start-sandbox.ts';
import { freshSandbox } from './support.ts';

let apps = 0;

/** firebase-admin has its host built in: an agent that opens a plain socket brings its calls to the sandbox. */
function messagingOf({ port }: Sandbox) {
  const httpAgent = new Agent({ keepAlive: true });
  httpAgent.createConnection = () => connect({ host: '127.0.0.1', port });
  apps += 1;
  const app = initializeApp(
    {
      projectId: 'navbat-test',
      credential: {
        getAccessToken: () => Promise.resolve({ access_token: 'sandbox-token', expires_in: 3600 }),
      },
      httpAgent,
    },
    `sandbox-${apps}`,
  );
  onTestFinished(async () => {
    httpAgent.destroy();
    await deleteApp(app);
  });
  return getMessaging(app);
}
const push: Message = {
  token: 'device-1',
  notification: { title: 'Navbat', body: 'Approve?' },
  data: { kind: 'approval' },
};

test('firebase-admin sends a push, by token or installation id', async () => {
  const sandbox = await freshSandbox();
  const messaging = messagingOf(sandbox);
  const name = await messaging.send({ ...push, android: { ttl: 60_000 } });
  expect(name).toMatch(/^projects\/navbat-test\/messages\/0:\d+%[0-9a-f]{32}$/);
  await messaging.send({ fid: 'installation-1', data: { code: '1' } });
  expect(sandbox.inbox({ channel: 'push' })).toMatchObject([
    {
      to: 'device-1',
      from: 'navbat-test',
      text: 'Navbat\nApprove?',
      provider_reference: name,
      details: { data: { kind: 'approval' } },
    },
    { to: 'installation-1', text: '' },
  ]);
});

test('a dry run is answered and reaches nobody', async () => {
  const sandbox = await freshSandbox();
  expect(await messagingOf(sandbox).send(push, true)).toContain('fake_message_id');
  expect(sandbox.inbox()).toEqual([]);
});

test.each([
  { code: 'UNREGISTERED', thrown: 'messaging/registration-token-not-registered', status: 404 },
  { code: 'INVALID_ARGUMENT', thrown: 'messaging/invalid-argument', status: 400 },
  { code: 'SENDER_ID_MISMATCH', thrown: 'messaging/mismatched-credential', status: 403 },
  { code: 'QUOTA_EXCEEDED', thrown: 'messaging/message-rate-exceeded', status: 429 },
  { code: 'INTERNAL', thrown: 'messaging/internal-error', status: 500 },
  { code: 'THIRD_PARTY_AUTH_ERROR', thrown: 'messaging/third-party-auth-error', status: 401 },
])('firebase-admin throws $thrown for $code', async ({ code, thrown, status }) => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'push', to: 'device-1', effect: 'reject', code });
  const error = await messagingOf(sandbox)
    .send(push)
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(FirebaseMessagingError);
  expect(error).toMatchObject({ code: thrown, httpResponse: { status } });
  expect(sandbox.inbox()).toEqual([]);
});

test('an installation id that is gone is told from a token that is gone', async () => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'push', effect: 'reject', code: 'UNREGISTERED' });
  await expect(messagingOf(sandbox).send({ fid: 'installation-1', data: {} })).rejects.toMatchObject({
    code: 'messaging/installation-id-not-registered',
  });
});

test('the wait after 429 is readable from the error', async () => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'push', effect: 'rate-limit', retry_after_seconds: 7 });
  await expect(messagingOf(sandbox).send(push)).rejects.toMatchObject({
    code: 'messaging/message-rate-exceeded',
    httpResponse: { headers: { 'retry-after': '7' } },
  });
});

test('firebase-admin repeats a 503 by itself, and gets through once it is over', async () => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'push', effect: 'server-error', status: 503, times: 1 });
  await messagingOf(sandbox).send(push);
  expect(sandbox.calls({ channel: 'push' }).map(({ status }) => status)).toEqual([503, 200]);
  expect(sandbox.inbox()).toHaveLength(1);
});

test('more than 4096 bytes are refused, 4096 are not', async () => {
  const sandbox = await freshSandbox();
  const messaging = messagingOf(sandbox);
  const frame = Buffer.byteLength(JSON.stringify({ d: '' }));
  await messaging.send({ token: 'device-1', data: { d: 'x'.repeat(4096 - frame) } });
  await expect(
    messaging.send({ token: 'device-1', data: { d: 'x'.repeat(4097 - frame) } }),
  ).rejects.toMatchObject({
    code: 'messaging/invalid-argument',
  });
});

test('a call without a token, and one that names nobody, are refused as Google refuses them', async () => {
  const sandbox = await freshSandbox();
  const post = async (headers: Record<string, string>, body: object) => {
    const response = await fetch(`${sandbox.url}/v1/projects/navbat-test/messages:send`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return response.json();
  };
  expect(await post({}, { message: { token: 'x' } })).toMatchObject({
    error: { code: 401, status: 'UNAUTHENTICATED' },
  });
  expect(await post({ authorization: 'Bearer t' }, { message: {} })).toMatchObject({
    error: {
      code: 400,
      status: 'INVALID_ARGUMENT',
      details: [
        { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: 'INVALID_ARGUMENT' },
        {},
      ],
    },
  });
});
