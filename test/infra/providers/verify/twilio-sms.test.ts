import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import type { SendReply } from '../../../../domain/job/reply.ts';
import type { FaultRequest } from '../../../../apps/sandbox/faults.ts';
import { replyToAnswer, twilioSms } from '../../../../infra/providers/verify/twilio-sms.ts';
import { ACCOUNT, AUTH_TOKEN, freshSandbox, PHONE, receiver, SENDER } from '../../../apps/sandbox/support.ts';
import { answering, deadline, http, titled } from '../support.ts';
import { channelGuarantees, serverFaults } from './channel-guarantees.ts';
import { CODE, JOB_ID, messageTo } from './code-message.ts';

const callbackUrl = (jobId: string, attempt: number) => `http://127.0.0.1:9/callbacks/${jobId}/${attempt}`;
const smsThrough = (apiUrl: string, from = SENDER, statusCallbackUrl = callbackUrl) =>
  twilioSms({ accountSid: ACCOUNT, authToken: AUTH_TOKEN, from, apiUrl, statusCallbackUrl });
const message = messageTo({ phone: PHONE });

test('a code goes out as SMS with its life, its callback and its idempotency token', async () => {
  const sandbox = await freshSandbox({
    credentials: { twilio: { accountSid: ACCOUNT, authToken: AUTH_TOKEN } },
  });
  const inboundCallbacks = await receiver();
  const sms = smsThrough(
    sandbox.url,
    SENDER,
    (jobId, attempt) => `${inboundCallbacks.url}/${jobId}/${attempt}`,
  );
  const reply = await sms.send(message, deadline());

  const [received] = sandbox.inbox({ to: PHONE });
  expect(received).toMatchObject({ channel: 'sms', text: message.text, from: SENDER });
  expect(reply).toMatchObject({
    kind: 'accepted',
    reference: received?.provider_reference,
    cost: null,
    parts: 1,
  });
  expect(received?.details).toMatchObject({ validity_period: '120' });
  expect(sandbox.calls({ to: PHONE })).toMatchObject([{ idempotency_key: `${JOB_ID}-1` }]);
  await expect.poll(() => inboundCallbacks.received.map(({ url }) => url)).toContain(`/${JOB_ID}/1`);
});

test('a messaging service is named as one, and its unknown segments are counted from the text', async () => {
  const sandbox = await freshSandbox();
  const text = `${'Ваш код подтверждения: '.repeat(4)}${CODE}`;
  const reply = await smsThrough(sandbox.url, `MG${'2'.repeat(32)}`).send({ ...message, text }, deadline());
  expect(sandbox.inbox()[0]?.details).toMatchObject({ messaging_service_sid: `MG${'2'.repeat(32)}` });
  expect(reply).toMatchObject({ parts: 2 });
});

test.each([
  { ttlSeconds: 0, validity: 1 },
  { ttlSeconds: 1, validity: 1 },
  { ttlSeconds: 59.9, validity: 59 },
  { ttlSeconds: 36_000, validity: 36_000 },
  { ttlSeconds: 36_001, validity: 36_000 },
])('a life of $ttlSeconds s is sent as $validity s, which Twilio takes', async ({ ttlSeconds, validity }) => {
  const sandbox = await freshSandbox();
  expect(await smsThrough(sandbox.url).send({ ...message, ttlSeconds }, deadline())).toMatchObject({
    kind: 'accepted',
  });
  expect(sandbox.inbox()[0]?.details).toMatchObject({ validity_period: String(validity) });
});

const refusedAs = (reason: string, addressIsDead: boolean) => ({ kind: 'refused', reason, addressIsDead });
const faults: readonly { fault: FaultRequest; reply: object }[] = [
  { fault: { effect: 'reject', channel: 'sms', code: 21211 }, reply: refusedAs('number-invalid', true) },
  { fault: { effect: 'reject', channel: 'sms', code: 21408 }, reply: refusedAs('region-not-enabled', false) },
  { fault: { effect: 'reject', channel: 'sms', code: 21610 }, reply: refusedAs('unsubscribed', false) },
  { fault: { effect: 'reject', channel: 'sms', code: 21614 }, reply: refusedAs('not-a-mobile', true) },
  { fault: { effect: 'reject', channel: 'sms', code: 30003 }, reply: refusedAs('number-unreachable', false) },
  { fault: { effect: 'reject', channel: 'sms', code: 30005 }, reply: refusedAs('number-unknown', true) },
  { fault: { effect: 'reject', channel: 'sms', code: 30006 }, reply: refusedAs('landline', true) },
  { fault: { effect: 'reject', channel: 'sms', code: 30007 }, reply: refusedAs('filtered', false) },
  { fault: { effect: 'reject', channel: 'sms', code: 21612 }, reply: refusedAs('provider-refused', false) },
  { fault: { effect: 'reject', channel: 'sms', code: 20003 }, reply: refusedAs('credentials', false) },
  { fault: { effect: 'slow', delay_ms: 100 }, reply: { kind: 'accepted' } },
  ...serverFaults,
];

channelGuarantees('sms', (origin) => smsThrough(origin), message);

test.each(titled(faults))('Twilio answering $what', async (given) => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'sms', ...given.fault });
  expect(await smsThrough(sandbox.url).send(message, deadline())).toMatchObject(given.reply);
  expect(sandbox.calls(), 'nothing is repeated').toHaveLength(1);
});

test('a wrong auth token is credentials', async () => {
  const sandbox = await freshSandbox({
    credentials: { twilio: { accountSid: ACCOUNT, authToken: 'e'.repeat(32) } },
  });
  expect(await smsThrough(sandbox.url).send(message, deadline())).toMatchObject(
    refusedAs('credentials', false),
  );
});

const unreadable = { kind: 'unknown', reason: 'answer-unreadable' };
test.each([
  { what: 'no JSON', answer: http('201 Created', 'queued'), reply: unreadable },
  { what: 'JSON without a sid', answer: http('201 Created', '{"status":"queued"}'), reply: unreadable },
  { what: 'more than we read', answer: http('201 Created', 'x'.repeat(70_000)), reply: unreadable },
  { what: 'no HTTP', answer: 'garbage\r\n\r\n', reply: unreadable },
  {
    what: 'a 502 page',
    answer: http('502 Bad', '<html>'),
    reply: { kind: 'faulted', reason: 'provider-unavailable' },
  },
  { what: 'a 400 page', answer: http('400 Bad', '<html>'), reply: refusedAs('provider-refused', false) },
  { what: 'a bare 429', answer: http('429 Many', '{}'), reply: { kind: 'busy', retryAfterMs: 2_000 } },
])('an answer that is $what is $reply.reply $reply.reason', async ({ answer, reply }) => {
  expect(await smsThrough(await answering(answer)).send(message, deadline())).toMatchObject(reply);
});

test.each(['a\0b', '\ud800', 'a b', 'x'.repeat(257)])(
  'a message with the sid %j is taken without one',
  async (sid) => {
    const answer = await answering(http('201 Created', JSON.stringify({ sid, status: 'queued' })));
    expect(await smsThrough(answer).send(message, deadline())).toEqual({
      kind: 'accepted',
      reference: null,
      cost: null,
      parts: 1,
    });
  },
);

test.each(['40000', '1e300', '25', '-1'])(
  '%s segments are not believed: they are counted from the text',
  async (segments) => {
    const body = JSON.stringify({ sid: 'SM1', status: 'queued', num_segments: segments });
    const answer = await answering(http('201 Created', body));
    expect(await smsThrough(answer).send(message, deadline())).toMatchObject({ kind: 'accepted', parts: 1 });
  },
);

test('messages sent at once keep their own deadline and their own answer', async () => {
  const sandbox = await freshSandbox();
  const sms = smsThrough(sandbox.url);
  const phones = Array.from({ length: 20 }, (_, n) => `+9989012345${String(n).padStart(2, '0')}`);
  sandbox.orderFaults(
    ...phones.slice(0, 10).map((to) => ({ channel: 'sms' as const, to, effect: 'hang-before' as const })),
  );
  const replies: SendReply[] = await Promise.all(
    phones.map((phone, n) => sms.send(messageTo({ phone }), n < 10 ? deadline(300) : deadline())),
  );
  expect(replies.map(({ kind: reply }) => reply)).toEqual([
    ...Array(10).fill('unknown'),
    ...Array(10).fill('accepted'),
  ]);
});

test('no reply and no error holds the code, the number or the token', async () => {
  const sandbox = await freshSandbox();
  const broken = smsThrough(sandbox.url, SENDER, () => {
    throw new Error('a bug');
  });
  expect(await broken.send(message, deadline()).catch((error: unknown) => inspect(error))).toContain('a bug');
  const poisoned = await answering(
    http('400 Bad Request', JSON.stringify({ code: 1, status: 400, message: `To ${PHONE}: ${CODE}` })),
  );
  const reply = inspect(await smsThrough(poisoned).send(message, deadline()), { depth: 9 });
  for (const secret of [CODE, PHONE, AUTH_TOKEN]) expect(reply).not.toContain(secret);
});

test('a Retry-After of a day is cut to an hour, and a date is understood', () => {
  expect(replyToAnswer({ status: 429, retryAfter: '86400' })).toMatchObject({
    kind: 'busy',
    retryAfterMs: 3_600_000,
  });
  const inAMinute = replyToAnswer({ status: 429, retryAfter: new Date(Date.now() + 60_000).toUTCString() });
  expect(inAMinute).toMatchObject({ kind: 'busy' });
  expect(inAMinute.kind === 'busy' && inAMinute.retryAfterMs).toBeGreaterThan(57_000);
});
