import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Sandbox } from '../../../apps/sandbox/start-sandbox.ts';
import { freshSandbox, GATEWAY_TOKEN, PHONE, receiver } from './support.ts';
import { eventually } from '../../support/eventually.ts';

interface Answer {
  ok: boolean;
  error?: string;
  result?: Record<string, unknown> & { request_id: string };
}

async function call(
  { url }: Sandbox,
  method: string,
  parameters: object,
  token = GATEWAY_TOKEN,
): Promise<Answer> {
  const response = await fetch(`${url}/gateway/${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(parameters),
  });
  return (await response.json()) as Answer;
}
const code = { phone_number: PHONE, code: '482910' };

test('a code is sent, delivered and checked', async () => {
  const sandbox = await freshSandbox();
  const { result } = await call(sandbox, 'sendVerificationMessage', { ...code, ttl: 60, payload: 'job-1' });
  expect(result).toMatchObject({
    phone_number: PHONE,
    request_cost: 0.01,
    remaining_balance: 99.99,
    payload: 'job-1',
    delivery_status: { status: 'sent' },
  });
  const request = { request_id: result?.request_id };
  await eventually(async () =>
    expect((await call(sandbox, 'checkVerificationStatus', request)).result).toMatchObject({
      delivery_status: { status: 'delivered' },
    }),
  );
  expect(
    (await call(sandbox, 'checkVerificationStatus', { ...request, code: '000000' })).result,
  ).toMatchObject({
    verification_status: { status: 'code_invalid', code_entered: '000000' },
  });
  expect(
    (await call(sandbox, 'checkVerificationStatus', { ...request, code: '482910' })).result,
  ).toMatchObject({
    verification_status: { status: 'code_valid', code_entered: '482910' },
  });
  expect(sandbox.inbox({ to: PHONE })).toMatchObject([
    { channel: 'telegram-gateway', text: 'Your code: 482910', provider_reference: result?.request_id },
  ]);
});

test('checkSendAbility is charged and makes one send free', async () => {
  const sandbox = await freshSandbox();
  const { result } = await call(sandbox, 'checkSendAbility', { phone_number: PHONE });
  expect(result).toMatchObject({ request_cost: 0.01, remaining_balance: 99.99, phone_number: PHONE });
  const again = { ...code, request_id: result?.request_id };
  expect((await call(sandbox, 'sendVerificationMessage', again)).result).toMatchObject({
    request_id: result?.request_id,
    request_cost: 0,
  });
  expect(await call(sandbox, 'sendVerificationMessage', again)).toEqual({
    ok: false,
    error: 'MESSAGE_ALREADY_SENT',
  });
  expect(sandbox.inbox()).toHaveLength(1);
});

test.each([
  { change: { phone_number: '12' }, error: 'PHONE_NUMBER_INVALID' },
  { change: { code: '123' }, error: 'CODE_INVALID' },
  { change: { code: '123456789' }, error: 'CODE_INVALID' },
  { change: { code: undefined, code_length: 9 }, error: 'CODE_LENGTH_INVALID' },
  { change: { ttl: 29 }, error: 'TTL_INVALID' },
  { change: { ttl: 3601 }, error: 'TTL_INVALID' },
  { change: { payload: 'x'.repeat(129) }, error: 'PAYLOAD_INVALID' },
  { change: { callback_url: 'nowhere' }, error: 'CALLBACK_URL_INVALID' },
  { change: { request_id: 'made-up' }, error: 'REQUEST_ID_INVALID' },
])('$error for $change', async ({ change, error }) => {
  const sandbox = await freshSandbox();
  expect(await call(sandbox, 'sendVerificationMessage', { ...code, ...change })).toEqual({
    ok: false,
    error,
  });
  expect(sandbox.inbox()).toEqual([]);
});

test.each([{ ttl: 30 }, { ttl: 3600 }, { code: '1234' }, { code: '12345678' }, { payload: 'x'.repeat(128) }])(
  'the limit itself is accepted: %o',
  async (change) => {
    expect((await call(await freshSandbox(), 'sendVerificationMessage', { ...code, ...change })).ok).toBe(
      true,
    );
  },
);

test('a code of the asked length is made up where none is given', async () => {
  const sandbox = await freshSandbox();
  await call(sandbox, 'sendVerificationMessage', { phone_number: PHONE, code_length: 8 });
  expect(sandbox.inbox()[0]?.text).toMatch(/^Your code: \d{8}$/);
});

test('a wrong token, an unknown method and an unknown request are named', async () => {
  const sandbox = await freshSandbox({ credentials: { telegramGatewayToken: GATEWAY_TOKEN } });
  expect(await call(sandbox, 'checkSendAbility', code, 'wrong')).toEqual({
    ok: false,
    error: 'ACCESS_TOKEN_INVALID',
  });
  expect(await call(sandbox, 'sendPigeon', code)).toEqual({ ok: false, error: 'METHOD_NOT_FOUND' });
  expect(await call(sandbox, 'checkVerificationStatus', { request_id: 'none' })).toEqual({
    ok: false,
    error: 'REQUEST_ID_INVALID',
  });
});

test('methods take any case, GET with a query, and the token as a parameter', async () => {
  const sandbox = await freshSandbox();
  const query = new URLSearchParams({ phone_number: PHONE, access_token: GATEWAY_TOKEN });
  const response = await fetch(`${sandbox.url}/gateway/CHECKSENDABILITY?${query.toString()}`);
  expect(await response.json()).toMatchObject({ ok: true });
});

test('a revoked code is taken back only while it is not delivered', async () => {
  const sandbox = await freshSandbox({ timing: { stepMs: 1_000 } });
  const { result } = await call(sandbox, 'sendVerificationMessage', code);
  expect(await call(sandbox, 'revokeVerificationMessage', { request_id: result?.request_id })).toEqual({
    ok: true,
    result: true,
  });
  expect(sandbox.inbox()).toMatchObject([{ status: 'revoked' }]);
});

describe('callbacks', () => {
  /** By hand, after the Gateway's own description. */
  function sign(timestamp: string, body: string): string {
    const key = createHash('sha256').update(GATEWAY_TOKEN).digest();
    return createHmac('sha256', key).update(`${timestamp}\n${body}`).digest('hex');
  }

  test('tell sent and delivered, each signed over the time and the raw body', async () => {
    const sandbox = await freshSandbox({ timing: { stepMs: 40 } });
    const { url, received } = await receiver();
    await call(sandbox, 'sendVerificationMessage', { ...code, callback_url: url });
    await eventually(() => expect(received).toHaveLength(2));
    const statuses = received.map(
      ({ body }) => (JSON.parse(body) as { delivery_status: { status: string } }).delivery_status.status,
    );
    expect(statuses).toEqual(['sent', 'delivered']);
    for (const { headers, body } of received) {
      const timestamp = String(headers['x-request-timestamp']);
      expect(Math.abs(Date.now() / 1000 - Number(timestamp))).toBeLessThan(5);
      expect(headers['x-request-signature']).toBe(sign(timestamp, body));
    }
  });

  test('are repeated until 200, not merely 2xx', async () => {
    const sandbox = await freshSandbox({ timing: { stepMs: 30 } });
    const { url, received } = await receiver((_one, count) => (count === 1 ? 500 : count === 2 ? 204 : 200));
    await call(sandbox, 'sendVerificationMessage', { ...code, callback_url: url });
    await eventually(() => expect(received).toHaveLength(4));
  });

  test('are given up after ten tries', async () => {
    const sandbox = await freshSandbox({ timing: { callbackPauseMs: 1, stepMs: 1 } });
    sandbox.orderFaults({ channel: 'telegram-gateway', effect: 'never-delivered' });
    const { url, received } = await receiver(() => 500);
    await call(sandbox, 'sendVerificationMessage', { ...code, callback_url: url });
    await eventually(() => expect(received).toHaveLength(10));
    // 2^10 ms later an eleventh try would have come.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(received).toHaveLength(10);
  });
});
