import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import type { CallbackRequest } from '../../../../domain/verify/callback.ts';
import { gatewayCallbacks } from '../../../../infra/providers/verify/telegram-gateway-callback.ts';
import { telegramGateway } from '../../../../infra/providers/verify/telegram-gateway.ts';
import { freshSandbox, GATEWAY_TOKEN, PHONE, receiver } from '../../../apps/sandbox/support.ts';
import { deadline } from '../support.ts';
import { readAll, statusesOf } from './callback-readings.ts';
import { JOB_ID, messageTo } from './code-message.ts';

const NOW = new Date('2026-11-20T10:00:00Z');
const message = messageTo({ phone: PHONE });

test('the Gateway’s genuine callbacks tell of delivered, with the reference and the payload of their message', async () => {
  const sandbox = await freshSandbox({ credentials: { telegramGatewayToken: GATEWAY_TOKEN } });
  const api = await receiver();
  const callbackUrl = (jobId: string, attempt: number) => `${api.url}/cb/${jobId}/${attempt}`;
  const gateway = telegramGateway({ token: GATEWAY_TOKEN, url: `${sandbox.url}/gateway`, callbackUrl });
  const reply = await gateway.send(message, deadline());
  const reader = gatewayCallbacks({ token: GATEWAY_TOKEN });
  await expect.poll(() => statusesOf(readAll(reader, api))).toContain('delivered');
  expect(readAll(reader, api)).toContainEqual({
    kind: 'report',
    reference: reply.kind === 'accepted' ? reply.reference : '',
    report: { status: 'delivered', reason: null, at: expect.any(Date), refunded: false },
  });
});

test('what the Gateway could not deliver in time is expired', async () => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'telegram-gateway', effect: 'undelivered' });
  const api = await receiver();
  const callbackUrl = () => `${api.url}/cb`;
  await telegramGateway({ token: GATEWAY_TOKEN, url: `${sandbox.url}/gateway`, callbackUrl }).send(
    message,
    deadline(),
  );
  await expect
    .poll(() => statusesOf(readAll(gatewayCallbacks({ token: GATEWAY_TOKEN }), api)))
    .toContain('expired');
});

const NOW_SECONDS = NOW.getTime() / 1_000;
const status = {
  request_id: 'r1',
  phone_number: PHONE,
  request_cost: 0.01,
  payload: `${JOB_ID}:1`,
  delivery_status: { status: 'read', updated_at: NOW_SECONDS - 5 },
};
function gatewayRequest(
  changes: { body?: object | string; token?: string; timestamp?: string } = {},
): CallbackRequest {
  const { body: given = status, token = GATEWAY_TOKEN, timestamp = String(NOW_SECONDS) } = changes;
  const body = typeof given === 'string' ? given : JSON.stringify(given);
  const key = createHash('sha256').update(token).digest();
  const signature = createHmac('sha256', key).update(`${timestamp}\n${body}`).digest('hex');
  return {
    url: 'https://navbat.example/cb/1',
    headers: { 'x-request-timestamp': timestamp, 'x-request-signature': signature },
    body: Buffer.from(body),
    jobId: JOB_ID,
    attempt: 1,
  };
}
const readGateway = (request: CallbackRequest) =>
  gatewayCallbacks({ token: GATEWAY_TOKEN }).read(request, NOW);

test.each([
  { word: 'sent', told: { status: 'sent', reason: null } },
  { word: 'delivered', told: { status: 'delivered', reason: null } },
  { word: 'read', told: { status: 'read', reason: null } },
  { word: 'expired', told: { status: 'expired', reason: null } },
  { word: 'revoked', told: { status: 'failed', reason: 'revoked' } },
])('the Gateway’s $word is $told.status, at its own time', ({ word, told }) => {
  const body = { ...status, delivery_status: { status: word, updated_at: NOW_SECONDS - 5 } };
  const at = new Date((NOW_SECONDS - 5) * 1_000);
  expect(readGateway(gatewayRequest({ body }))).toEqual({
    kind: 'report',
    reference: 'r1',
    report: { ...told, at, refunded: false },
  });
});

test('the Gateway’s word of a refund is told, with or without a delivery', () => {
  const expired = { status: 'expired', updated_at: NOW_SECONDS - 5 };
  const told = { status: 'expired', reason: null, refunded: true };
  for (const delivery_status of [expired, undefined])
    expect(
      readGateway(gatewayRequest({ body: { ...status, is_refunded: true, delivery_status } })),
    ).toMatchObject({ kind: 'report', report: told });
});

test('a check at Telegram, or a word of next year, is nothing new', () => {
  const { delivery_status: _, ...checked } = status;
  expect(readGateway(gatewayRequest({ body: checked }))).toEqual({ kind: 'nothing-new' });
  const body = { ...status, delivery_status: { status: 'framed', updated_at: 1 } };
  expect(readGateway(gatewayRequest({ body }))).toEqual({ kind: 'nothing-new' });
});

test.each(['a\0b', '\u202e7', 'a b', 'x'.repeat(257)])(
  'a signed body with the id %j is unreadable',
  (request_id) => {
    expect(readGateway(gatewayRequest({ body: { ...status, request_id } }))).toEqual({ kind: 'unreadable' });
  },
);

test('a word of every object is none of the Gateway’s, and a time that no calendar has is now', () => {
  const told = (delivery_status: object) =>
    readGateway(gatewayRequest({ body: { ...status, delivery_status } }));
  expect(told({ status: 'constructor', updated_at: 1 })).toEqual({ kind: 'nothing-new' });
  for (const updated_at of [Number.MAX_SAFE_INTEGER, 253_402_300_800, -1, '1'])
    expect(told({ status: 'delivered', updated_at })).toMatchObject({ report: { at: NOW } });
});

test.each(['not json', '{}', '[]'])('a signed body of %s is unreadable', (body) => {
  expect(readGateway(gatewayRequest({ body }))).toEqual({ kind: 'unreadable' });
});

test.each([
  { age: 300, kind: 'report' },
  { age: 301, kind: 'forged' },
  { age: -300, kind: 'report' },
  { age: -301, kind: 'forged' },
])('a report signed $age s ago reads as $kind', ({ age, kind }) => {
  expect(readGateway(gatewayRequest({ timestamp: String(NOW_SECONDS - age) }))).toMatchObject({ kind });
});

const genuineGateway = gatewayRequest();
test.each([
  { what: 'another token', request: gatewayRequest({ token: 'another' }) },
  {
    what: 'no signature',
    request: { ...genuineGateway, headers: { 'x-request-timestamp': String(NOW_SECONDS) } },
  },
  { what: 'no timestamp', request: { ...genuineGateway, headers: { 'x-request-signature': 'ab' } } },
  {
    what: 'a fresher timestamp than it was signed with',
    request: {
      ...genuineGateway,
      headers: { ...genuineGateway.headers, 'x-request-timestamp': String(NOW_SECONDS + 1) },
    },
  },
  { what: 'a timestamp that is none', request: gatewayRequest({ timestamp: 'NaN' }) },
  { what: 'a changed body', request: { ...genuineGateway, body: Buffer.from(`${JSON.stringify(status)} `) } },
  { what: 'the address of another attempt', request: { ...genuineGateway, attempt: 2 } },
  { what: 'no payload', request: gatewayRequest({ body: { ...status, payload: undefined } }) },
])('a callback in the Gateway’s name with $what is forged', ({ request }) => {
  expect(readGateway(request)).toEqual({ kind: 'forged' });
});
