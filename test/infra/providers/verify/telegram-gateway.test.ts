import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { replyToAnswer, telegramGateway } from '../../../../infra/providers/verify/telegram-gateway.ts';
import type { FaultRequest } from '../../../../apps/sandbox/faults.ts';
import { freshSandbox, GATEWAY_TOKEN, PHONE, receiver } from '../../../apps/sandbox/support.ts';
import { answering, deadline, http, titled } from '../support.ts';
import { channelGuarantees, serverFaults } from './channel-guarantees.ts';
import { CODE, JOB_ID, messageTo } from './code-message.ts';

const message = messageTo({ phone: PHONE });
const callbackUrl = (jobId: string, attempt: number) => `http://127.0.0.1:9/callbacks/${jobId}/${attempt}`;
const gatewayAt = (url: string, callback = callbackUrl) =>
  telegramGateway({ token: GATEWAY_TOKEN, url, callbackUrl: callback });
const refusedAs = (reason: string) => ({ kind: 'refused', reason, addressIsDead: false });

test('our own code goes out with its life, its callback and what it costs', async () => {
  const sandbox = await freshSandbox({ credentials: { telegramGatewayToken: GATEWAY_TOKEN } });
  const callbacks = await receiver();
  const gateway = gatewayAt(
    `${sandbox.url}/gateway`,
    (jobId, attempt) => `${callbacks.url}/${jobId}/${attempt}`,
  );
  const reply = await gateway.send(message, deadline());
  const [received] = sandbox.inbox({ to: PHONE });
  expect(received).toMatchObject({
    channel: 'telegram-gateway',
    details: { ttl: 120, payload: `${JOB_ID}:1` },
  });
  expect(received?.text).toContain(CODE);
  expect(reply).toMatchObject({
    kind: 'accepted',
    reference: received?.provider_reference,
    cost: { micros: 10_000n, currency: 'USD' },
  });
  await expect.poll(() => callbacks.received.map(({ url }) => url)).toContain(`/${JOB_ID}/1`);
});

test.each([
  { ttlSeconds: 29, ttl: 30 },
  { ttlSeconds: 30, ttl: 30 },
  { ttlSeconds: 59.9, ttl: 59 },
  { ttlSeconds: 3_600, ttl: 3_600 },
  { ttlSeconds: 3_601, ttl: 3_600 },
])('a life of $ttlSeconds s is sent as $ttl s, which the Gateway takes', async ({ ttlSeconds, ttl }) => {
  const sandbox = await freshSandbox();
  const reply = await gatewayAt(`${sandbox.url}/gateway/`).send({ ...message, ttlSeconds }, deadline());
  expect(reply).toMatchObject({ kind: 'accepted' });
  expect(sandbox.inbox()[0]?.details).toMatchObject({ ttl });
});

const rejecting = (code: string): FaultRequest => ({ effect: 'reject', channel: 'telegram-gateway', code });
const faults: readonly { fault: FaultRequest; reply: object }[] = [
  { fault: rejecting('PHONE_NUMBER_INVALID'), reply: refusedAs('number-invalid') },
  { fault: rejecting('PHONE_NUMBER_NOT_FOUND'), reply: refusedAs('not-on-telegram') },
  { fault: rejecting('PHONE_NUMBER_NOT_AVAILABLE'), reply: refusedAs('not-on-telegram') },
  { fault: rejecting('ACCESS_TOKEN_INVALID'), reply: refusedAs('credentials') },
  { fault: rejecting('BALANCE_NOT_ENOUGH'), reply: refusedAs('balance-empty') },
  { fault: rejecting('TTL_INVALID'), reply: refusedAs('message-invalid') },
  { fault: rejecting('CODE_INVALID'), reply: refusedAs('message-invalid') },
  { fault: rejecting('PAYLOAD_INVALID'), reply: refusedAs('message-invalid') },
  { fault: rejecting('CALLBACK_URL_INVALID'), reply: refusedAs('message-invalid') },
  { fault: rejecting('MESSAGE_ALREADY_SENT'), reply: refusedAs('provider-refused') },
  ...serverFaults,
];

channelGuarantees('telegram-gateway', (origin) => gatewayAt(`${origin}/gateway`), message);

test.each(titled(faults))('the Gateway answering $what', async (given) => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'telegram-gateway', ...given.fault });
  expect(await gatewayAt(`${sandbox.url}/gateway`).send(message, deadline())).toMatchObject(given.reply);
  expect(sandbox.calls(), 'nothing is repeated').toHaveLength(1);
});

test('a wrong token is credentials', async () => {
  const sandbox = await freshSandbox({ credentials: { telegramGatewayToken: 'another' } });
  expect(await gatewayAt(`${sandbox.url}/gateway`).send(message, deadline())).toMatchObject(
    refusedAs('credentials'),
  );
});

const unreadable = { kind: 'unknown', reason: 'answer-unreadable' };
test.each([
  { what: 'no JSON', answer: http('200 OK', 'sent'), reply: unreadable },
  { what: 'JSON without a request id', answer: http('200 OK', '{"ok":true,"result":{}}'), reply: unreadable },
  {
    what: 'a 502 page',
    answer: http('502 Bad', '<html>'),
    reply: { kind: 'faulted', reason: 'provider-unavailable' },
  },
  { what: 'a 401 page', answer: http('401 No', '<html>'), reply: refusedAs('credentials') },
  { what: 'a 404 page', answer: http('404 No', '<html>'), reply: refusedAs('provider-refused') },
  {
    what: 'a 429 page',
    answer: http('429 No', '', 'retry-after: 3\r\n'),
    reply: { kind: 'busy', retryAfterMs: 3_000 },
  },
])('an answer that is $what is $reply.reply $reply.reason', async ({ answer, reply }) => {
  expect(await gatewayAt(await answering(answer)).send(message, deadline())).toMatchObject(reply);
});

test.each([
  { request_cost: 0.01, cost: { micros: 10_000n, currency: 'USD' } },
  { request_cost: 0.1 + 0.2, cost: { micros: 300_000n, currency: 'USD' } },
  { request_cost: 0, cost: { micros: 0n, currency: 'USD' } },
  { request_cost: undefined, cost: null },
])('a cost of $request_cost dollars is counted in whole millionths', ({ request_cost, cost }) => {
  const text = JSON.stringify({ ok: true, result: { request_id: 'r1', request_cost } });
  expect(replyToAnswer({ status: 200, headers: {}, text })).toMatchObject({
    kind: 'accepted',
    reference: 'r1',
    cost,
  });
});

test.each([1e305, 1e18, 101, -1, '0.01', null])(
  'a cost of %j is no price of a code, and the message is taken',
  (cost) => {
    const text = JSON.stringify({ ok: true, result: { request_id: 'r1', request_cost: cost } });
    expect(replyToAnswer({ status: 200, headers: {}, text })).toEqual({
      kind: 'accepted',
      reference: 'r1',
      cost: null,
    });
  },
);

test.each(['a\0b', '\ud800', 'a b', 'x'.repeat(257)])(
  'a message with the id %j is taken without one',
  (request_id) => {
    const text = JSON.stringify({ ok: true, result: { request_id } });
    expect(replyToAnswer({ status: 200, headers: {}, text })).toMatchObject({
      kind: 'accepted',
      reference: null,
    });
  },
);

test('no error holds the code, the number or the token', async () => {
  const error = await gatewayAt('nonsense://nowhere')
    .send(message, deadline())
    .then(
      (reply) => expect.unreachable(inspect(reply)),
      (thrown: unknown) => inspect(thrown, { depth: 9, showHidden: true }),
    );
  expect(error).toContain('telegram-gateway: unexpected');
  for (const secret of [CODE, PHONE, GATEWAY_TOKEN]) expect(error).not.toContain(secret);
});
