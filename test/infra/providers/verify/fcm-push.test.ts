import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { fcmClient } from '../../../../infra/providers/push/fcm-client.ts';
import { fcmPush } from '../../../../infra/providers/verify/fcm-push.ts';
import type { FaultRequest } from '../../../../apps/sandbox/faults.ts';
import { freshSandbox } from '../../../apps/sandbox/support.ts';
import { answering, deadline, http, titled } from '../support.ts';
import { channelGuarantees, serverFaults } from './channel-guarantees.ts';
import { CODE, JOB_ID, messageTo } from './code-message.ts';

const TOKEN = 'fcm-token-of-a-phone:APA91bExample';
const message = messageTo({ pushToken: TOKEN });
const NOW = new Date('2026-11-20T10:00:00Z');
const pushTo = (sandboxUrl: string) => fcmPush(fcmClient({ sandboxUrl }), () => NOW);
const refusedAs = (reason: string, addressIsDead = false) => ({ kind: 'refused', reason, addressIsDead });

test('a push wakes the phone, dies with its code, and carries the code in its text alone', async () => {
  const sandbox = await freshSandbox({ credentials: { fcmAccessToken: 'sandbox' } });
  const reply = await pushTo(sandbox.url).send(message, deadline());
  const [received] = sandbox.inbox({ to: TOKEN });
  expect(received).toMatchObject({ channel: 'push', text: `${message.title}\n${message.text}` });
  expect(reply).toMatchObject({ kind: 'accepted', reference: received?.provider_reference, cost: null });
  expect(received?.details).toMatchObject({
    data: { kind: 'code', job_id: JOB_ID },
    android: { priority: 'high', ttl: '120s' },
    apns: { headers: { 'apns-expiration': String(NOW.getTime() / 1_000 + 120), 'apns-priority': '10' } },
  });
  expect(JSON.stringify(received?.details['data'])).not.toContain(CODE);
});

const rejecting = (code: string): FaultRequest => ({ effect: 'reject', channel: 'push', code });
const faults: readonly { fault: FaultRequest; reply: object }[] = [
  { fault: rejecting('UNREGISTERED'), reply: refusedAs('token-unregistered', true) },
  { fault: rejecting('INVALID_ARGUMENT'), reply: refusedAs('message-invalid') },
  { fault: rejecting('SENDER_ID_MISMATCH'), reply: refusedAs('token-of-another-app') },
  { fault: rejecting('THIRD_PARTY_AUTH_ERROR'), reply: refusedAs('credentials') },
  ...serverFaults,
];

channelGuarantees('push', pushTo, message);

test.each(titled(faults))('FCM answering $what', async (given) => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'push', ...given.fault });
  expect(await pushTo(sandbox.url).send(message, deadline())).toMatchObject(given.reply);
});

/** The package would call again at once, then after 1, 2 and 4 s. */
const FIRST_REPEATS_MS = 1_300;
test.each([
  { effect: 'server-error', status: 503 },
  { effect: 'hang-before', hang_ms: 0 },
] as const)('what the package would repeat ($effect) is sent once', async (fault) => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'push', ...fault });
  const startedAt = performance.now();
  await pushTo(sandbox.url).send(message, deadline());
  expect(performance.now() - startedAt, 'nor is its pause waited for').toBeLessThan(5_000);
  await new Promise((resolve) => setTimeout(resolve, FIRST_REPEATS_MS));
  expect(sandbox.calls()).toHaveLength(1);
});

test('a 503 that asks for a minute is told at once', async () => {
  const push = pushTo(await answering(http('503 No', '{}', 'retry-after: 60\r\n')));
  expect(await push.send(message, deadline())).toMatchObject({
    kind: 'faulted',
    reason: 'provider-unavailable',
    retryAfterMs: 60_000,
  });
});

test.each(['hang-before', 'hang-after'] as const)(
  'a %s is unknown at the deadline, and nothing is sent after it',
  async (effect) => {
    const sandbox = await freshSandbox();
    sandbox.orderFaults({ channel: 'push', effect });
    const startedAt = performance.now();
    expect(await pushTo(sandbox.url).send(message, deadline(200))).toMatchObject({
      kind: 'unknown',
      reason: 'timeout',
    });
    expect(performance.now() - startedAt).toBeGreaterThan(150);
    await new Promise((resolve) => setTimeout(resolve, FIRST_REPEATS_MS));
    expect(sandbox.calls()).toHaveLength(1);
  },
);

test('a wrong access token is credentials', async () => {
  const sandbox = await freshSandbox({ credentials: { fcmAccessToken: 'another' } });
  expect(await pushTo(sandbox.url).send(message, deadline())).toMatchObject(refusedAs('credentials'));
});

const unreadable = { kind: 'unknown', reason: 'answer-unreadable' };
test.each([
  { what: 'no JSON', answer: http('200 OK', 'sent'), reply: unreadable },
  { what: 'JSON without a name', answer: http('200 OK', '{}'), reply: unreadable },
  { what: 'no HTTP', answer: 'garbage\r\n\r\n', reply: unreadable },
  {
    what: 'a 502 page',
    answer: http('502 Bad', '<html>'),
    reply: { kind: 'faulted', reason: 'provider-unavailable' },
  },
  { what: 'a 403 page', answer: http('403 No', '<html>'), reply: refusedAs('credentials') },
  {
    what: 'a bare 404, as a wrong project gets,',
    answer: http(
      '404 No',
      '{"error":{"code":404,"status":"NOT_FOUND","message":"Requested entity was not found."}}',
    ),
    reply: refusedAs('provider-refused'),
  },
  {
    what: 'a 403 about our account',
    answer: http('403 No', '{"error":{"code":403,"status":"PERMISSION_DENIED","message":"No permission."}}'),
    reply: refusedAs('credentials'),
  },
])('an answer that is $what is $reply.reply $reply.reason', async ({ answer, reply }) => {
  expect(await pushTo(await answering(answer)).send(message, deadline())).toMatchObject(reply);
});

test.each(['a\0b', '\ud800', 'a b', 'x'.repeat(257)])(
  'a push with the name %j is taken without one',
  async (name) => {
    const answer = await answering(http('200 OK', JSON.stringify({ name })));
    expect(await pushTo(answer).send(message, deadline())).toEqual({
      kind: 'accepted',
      reference: null,
      cost: null,
    });
  },
);

test('a rate limit that names no time lasts a minute', async () => {
  const details = [{ errorCode: 'QUOTA_EXCEEDED' }];
  const body = JSON.stringify({
    error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'No.', details },
  });
  const push = pushTo(await answering(http('429 Many', body)));
  expect(await push.send(message, deadline())).toMatchObject({ kind: 'busy', retryAfterMs: 60_000 });
});

test('messages sent at once keep their own deadline and their own answer', async () => {
  const sandbox = await freshSandbox();
  const push = pushTo(sandbox.url);
  const tokens = Array.from({ length: 20 }, (_, n) => `token-${n}`);
  sandbox.orderFaults(
    ...tokens.slice(0, 10).map((to) => ({ channel: 'push' as const, to, effect: 'hang-before' as const })),
  );
  const replies = await Promise.all(
    tokens.map((pushToken, n) => push.send(messageTo({ pushToken }), n < 10 ? deadline(300) : deadline())),
  );
  expect(replies.map(({ kind: reply }) => reply)).toEqual([
    ...Array(10).fill('unknown'),
    ...Array(10).fill('accepted'),
  ]);
});

test('a service account that is none throws, without quoting it', () => {
  const serviceAccount = { project_id: 'navbat', client_email: 'a@b.c', private_key: 'not-a-key-but-secret' };
  const make = () => fcmClient({ serviceAccount });
  expect(make).toThrow('fcm: service account: unexpected');
  expect(() => inspect(make())).not.toThrow(/not-a-key-but-secret/);
});
