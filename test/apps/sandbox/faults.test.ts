import { describe, expect, test } from 'vitest';
import { FaultOrder, type FaultRequest, Faults } from '../../../apps/sandbox/faults.ts';
import type { Sandbox } from '../../../apps/sandbox/start-sandbox.ts';
import {
  ACCOUNT,
  AUTH_TOKEN,
  BOT_TOKEN,
  freshSandbox,
  GATEWAY_TOKEN,
  PHONE,
  receiver,
  SENDER,
  temporaryDirectory,
} from './support.ts';
import { eventually } from '../../support/eventually.ts';

type Reply = { status: number; headers: Headers; body: Record<string, unknown> };

/** One sending call of each provider, without a library between. */
const send = {
  sms: (url: string, to: string, init: RequestInit = {}, more: Record<string, string> = {}) =>
    fetch(`${url}/2010-04-01/Accounts/${ACCOUNT}/Messages.json`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${ACCOUNT}:${AUTH_TOKEN}`)}` },
      body: new URLSearchParams({ To: to, From: SENDER, Body: 'hello', ...more }),
      ...init,
    }),
  telegram: (url: string, to: string, init: RequestInit = {}) =>
    fetch(
      `${url}/bot${BOT_TOKEN}/sendMessage?${new URLSearchParams({ chat_id: to, text: 'hello' }).toString()}`,
      init,
    ),
  'telegram-gateway': (url: string, to: string, init: RequestInit = {}) =>
    fetch(`${url}/gateway/sendVerificationMessage`, {
      method: 'POST',
      headers: { authorization: `Bearer ${GATEWAY_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ phone_number: to, code: '123456' }),
      ...init,
    }),
  push: (url: string, to: string, init: RequestInit = {}) =>
    fetch(`${url}/v1/projects/p/messages:send`, {
      method: 'POST',
      headers: { authorization: 'Bearer t' },
      body: JSON.stringify({ message: { token: to, notification: { body: 'hello' } } }),
      ...init,
    }),
};
type Channel = keyof typeof send;
const someone: Record<Channel, string> = {
  sms: PHONE,
  telegram: '4242',
  'telegram-gateway': PHONE,
  push: 'device-1',
};
const channels = Object.keys(send) as Channel[];

async function call(sandbox: Sandbox, channel: Channel, to = someone[channel]): Promise<Reply> {
  const response = await send[channel](sandbox.url, to);
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}
const put = (sandbox: Sandbox, faults: FaultRequest | FaultRequest[]) =>
  fetch(`${sandbox.url}/faults`, { method: 'PUT', body: JSON.stringify(faults) });

const works: Record<Channel, object> = {
  sms: { status: 201 },
  telegram: { status: 200, body: { ok: true } },
  'telegram-gateway': { status: 200, body: { ok: true } },
  push: { status: 200, body: { name: expect.any(String) } },
};

describe.each(channels)('%s', (channel) => {
  test('fails twice, then works', async () => {
    const sandbox = await freshSandbox();
    await put(sandbox, { channel, to: someone[channel], effect: 'server-error', times: 2 });
    expect((await call(sandbox, channel)).status).toBe(500);
    expect((await call(sandbox, channel)).status).toBe(500);
    expect(await call(sandbox, channel)).toMatchObject(works[channel]);
    expect(sandbox.inbox()).toHaveLength(1);
    expect(sandbox.calls({ channel })).toMatchObject([
      { status: 500, fault: 'server-error' },
      { status: 500 },
      { message_id: '1' },
    ]);
  });

  test('hangs before accepting: nothing was sent', async () => {
    const sandbox = await freshSandbox();
    await put(sandbox, { channel, effect: 'hang-before' });
    const patience = { signal: AbortSignal.timeout(400) };
    await expect(send[channel](sandbox.url, someone[channel], patience)).rejects.toThrow(/timeout/);
    expect(sandbox.inbox()).toEqual([]);
    expect(sandbox.calls()).toMatchObject([{ channel, status: null, fault: 'hang-before' }]);
  });

  test('hangs after accepting: it was sent once', async () => {
    const sandbox = await freshSandbox();
    await put(sandbox, { channel, effect: 'hang-after' });
    const patience = { signal: AbortSignal.timeout(400) };
    await expect(send[channel](sandbox.url, someone[channel], patience)).rejects.toThrow(/timeout/);
    expect(sandbox.inbox()).toHaveLength(1);
    expect(sandbox.calls()).toMatchObject([{ channel, status: null, fault: 'hang-after', message_id: '1' }]);
  });

  test('cuts the connection when it is to hang for no time', async () => {
    const sandbox = await freshSandbox();
    await put(sandbox, { channel, effect: 'hang-after', hang_ms: 0 });
    await expect(send[channel](sandbox.url, someone[channel])).rejects.toThrow('fetch failed');
    expect(sandbox.inbox()).toHaveLength(1);
  });

  test('answers late', async () => {
    const sandbox = await freshSandbox();
    await put(sandbox, { channel, effect: 'slow', delay_ms: 120 });
    const startedAt = performance.now();
    expect(await call(sandbox, channel)).toMatchObject(works[channel]);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(119);
  });

  test('accepts and never delivers', async () => {
    const sandbox = await freshSandbox();
    await put(sandbox, { channel, effect: 'never-delivered' });
    expect(await call(sandbox, channel)).toMatchObject(works[channel]);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(sandbox.inbox()).toMatchObject([{ status: 'sent', fate: 'lost' }]);
  });
});

test('a message that was taken over in silence is not sent again when it is asked for with the same token', async () => {
  const sandbox = await freshSandbox();
  await put(sandbox, { channel: 'sms', effect: 'hang-after', times: 1, hang_ms: 0 });
  const headers = {
    authorization: `Basic ${btoa(`${ACCOUNT}:${AUTH_TOKEN}`)}`,
    'i-twilio-idempotency-token': 'job-1',
  };
  await expect(send.sms(sandbox.url, PHONE, { headers })).rejects.toThrow('fetch failed');
  const again = (await (await send.sms(sandbox.url, PHONE, { headers })).json()) as { sid: string };
  expect(sandbox.inbox()).toMatchObject([{ provider_reference: again.sid, idempotency_key: 'job-1' }]);
});

test('each provider words 429 and its wait as its own', async () => {
  const sandbox = await freshSandbox();
  await put(sandbox, { effect: 'rate-limit', retry_after_seconds: 3 });
  const sms = await call(sandbox, 'sms');
  expect([sms.status, sms.headers.get('retry-after'), sms.body]).toMatchObject([
    429,
    '3',
    { code: 20429, status: 429 },
  ]);
  const telegram = await call(sandbox, 'telegram');
  expect([telegram.status, telegram.body]).toEqual([
    429,
    {
      ok: false,
      error_code: 429,
      description: 'Too Many Requests: retry after 3',
      parameters: { retry_after: 3 },
    },
  ]);
  expect((await call(sandbox, 'telegram-gateway')).body).toEqual({ ok: false, error: 'FLOOD_WAIT_3' });
  const push = await call(sandbox, 'push');
  expect([push.status, push.headers.get('retry-after'), push.body]).toMatchObject([
    429,
    '3',
    { error: { status: 'RESOURCE_EXHAUSTED', details: [{ errorCode: 'QUOTA_EXCEEDED' }] } },
  ]);
  expect(sandbox.inbox()).toEqual([]);
});

test.each([
  { channel: 'sms', code: 21610, expected: { status: 400, body: { code: 21610, status: 400 } } },
  { channel: 'sms', code: '21408', expected: { status: 400, body: { code: 21408 } } },
  {
    channel: 'telegram',
    code: 'blocked',
    expected: {
      status: 403,
      body: { error_code: 403, description: 'Forbidden: bot was blocked by the user' },
    },
  },
  {
    channel: 'telegram',
    code: 'chat-not-found',
    expected: { status: 400, body: { description: 'Bad Request: chat not found' } },
  },
  {
    channel: 'telegram-gateway',
    code: 'PHONE_NUMBER_NOT_FOUND',
    expected: { body: { ok: false, error: 'PHONE_NUMBER_NOT_FOUND' } },
  },
  {
    channel: 'push',
    code: 'UNREGISTERED',
    expected: { status: 404, body: { error: { status: 'NOT_FOUND' } } },
  },
] as const)('$channel refuses with $code', async ({ channel, code, expected }) => {
  const sandbox = await freshSandbox();
  await put(sandbox, { channel, to: someone[channel], effect: 'reject', code });
  expect(await call(sandbox, channel)).toMatchObject(expected);
  expect(sandbox.inbox()).toEqual([]);
});

test('Twilio reports an undelivered message with its code; the Gateway lets it expire and refunds', async () => {
  const sandbox = await freshSandbox({ timing: { stepMs: 40 } });
  await put(sandbox, { effect: 'undelivered', code: 30006 });
  const { url, received } = await receiver();
  await send.sms(sandbox.url, PHONE, {}, { StatusCallback: url });
  await eventually(() => expect(received).toHaveLength(3));
  const last = Object.fromEntries(new URLSearchParams(received[2]?.body));
  expect(last).toMatchObject({ MessageStatus: 'undelivered', ErrorCode: '30006' });
  expect(sandbox.inbox()).toMatchObject([{ status: 'undelivered', error_code: 30006 }]);
  const { body } = await call(sandbox, 'telegram-gateway');
  const { request_id } = body['result'] as { request_id: string };
  await eventually(async () => {
    const query = new URLSearchParams({ request_id, access_token: GATEWAY_TOKEN });
    const status = await fetch(`${sandbox.url}/gateway/checkVerificationStatus?${query.toString()}`);
    expect(await status.json()).toMatchObject({
      result: { delivery_status: { status: 'expired' }, is_refunded: true },
    });
  });
});

describe('orders', () => {
  test('the narrowest strikes: target before everybody, one channel before all', async () => {
    const sandbox = await freshSandbox();
    await put(sandbox, [
      { effect: 'server-error', status: 503 },
      { channel: 'sms', effect: 'server-error', status: 502 },
      { to: PHONE, effect: 'server-error', status: 504 },
    ]);
    expect((await call(sandbox, 'sms', '+998907654321')).status).toBe(502);
    expect((await call(sandbox, 'sms')).status).toBe(504);
    expect((await call(sandbox, 'telegram')).status).toBe(503);
  });

  test('one provider of SMS is struck before its channel, and no other one by it', async () => {
    const sandbox = await freshSandbox();
    await put(sandbox, [
      { channel: 'sms', effect: 'server-error', status: 502 },
      { channel: 'sms', provider: 'twilio', effect: 'server-error', status: 503 },
      { channel: 'sms', provider: 'eskiz', effect: 'server-error', status: 504 },
    ]);
    expect((await call(sandbox, 'sms')).status).toBe(503);
    sandbox.clearFaults();
    await put(sandbox, { channel: 'sms', provider: 'eskiz', effect: 'server-error', status: 504 });
    expect((await call(sandbox, 'sms')).status).toBe(201);
  });

  test('several for one target are used up in their order; a later order replaces them', async () => {
    const sandbox = await freshSandbox();
    const mine = { channel: 'sms', to: PHONE } as const;
    await put(sandbox, [
      { ...mine, effect: 'server-error', times: 1 },
      { ...mine, effect: 'rate-limit', times: 1 },
    ]);
    expect([
      (await call(sandbox, 'sms')).status,
      (await call(sandbox, 'sms')).status,
      (await call(sandbox, 'sms')).status,
    ]).toEqual([500, 429, 201]);
    await put(sandbox, { ...mine, effect: 'reject', code: 21614 });
    expect((await call(sandbox, 'sms')).body).toMatchObject({ code: 21614 });
  });

  test('a fault for everybody leaves methods alone that send nothing, unless it names them', async () => {
    const sandbox = await freshSandbox();
    await put(sandbox, { channel: 'telegram', effect: 'server-error' });
    const getMe = async () => (await fetch(`${sandbox.url}/bot${BOT_TOKEN}/getMe`)).status;
    expect(await getMe()).toBe(200);
    await put(sandbox, { channel: 'telegram', method: 'getMe', effect: 'server-error', status: 502 });
    expect(await getMe()).toBe(502);
    expect((await call(sandbox, 'telegram')).status).toBe(200);
  });

  test('are listed with what is left, deleted one by one or all, and refused when a provider has no such code', async () => {
    const sandbox = await freshSandbox();
    await put(sandbox, [
      { channel: 'sms', to: PHONE, effect: 'server-error', times: 2 },
      { channel: 'push', effect: 'slow', delay_ms: 1 },
    ]);
    await call(sandbox, 'sms');
    const faults = async (init: RequestInit = {}, query = '') =>
      (await fetch(`${sandbox.url}/faults${query}`, init)).json();
    expect(await faults()).toMatchObject([
      { channel: 'sms', remaining: 1, hits: 1 },
      { channel: 'push', remaining: null, hits: 0 },
    ]);
    expect(await faults({ method: 'DELETE' }, `?to=${encodeURIComponent(PHONE)}`)).toMatchObject([
      { channel: 'push' },
    ]);
    expect(await faults({ method: 'DELETE' })).toEqual([]);
    const bad = await put(sandbox, { channel: 'sms', effect: 'reject', code: 'UNREGISTERED' });
    expect([bad.status, await bad.json()]).toEqual([400, { error: expect.stringContaining('21610') }]);
    expect((await put(sandbox, { effect: 'reject', code: 21610 })).status).toBe(400);
  });

  test('outlive a restart, with what is left of them', async () => {
    const directory = await temporaryDirectory();
    const first = await freshSandbox({ directory });
    first.orderFaults({ channel: 'sms', effect: 'server-error', times: 2 });
    await call(first, 'sms');
    await first.close();
    const second = await freshSandbox({ directory });
    expect([(await call(second, 'sms')).status, (await call(second, 'sms')).status]).toEqual([500, 201]);
  });
});

test.each([
  { channel: 'sms', to: '+998999999404', status: 400, body: { code: 21211 } },
  { channel: 'sms', to: '+998999999403', status: 400, body: { code: 21610 } },
  { channel: 'sms', to: '+998999999429', status: 429, body: { code: 20429 } },
  { channel: 'sms', to: '+998999999503', status: 503, body: {} },
  { channel: 'sms', to: '+15005550009', status: 400, body: { code: 21614 } },
  { channel: 'telegram', to: '999999403', status: 403, body: { error_code: 403 } },
  { channel: 'telegram', to: '999999404', status: 400, body: { description: 'Bad Request: chat not found' } },
  {
    channel: 'telegram-gateway',
    to: '+998999999404',
    status: 200,
    body: { error: 'PHONE_NUMBER_NOT_FOUND' },
  },
  { channel: 'push', to: 'sandbox-404', status: 404, body: { error: { status: 'NOT_FOUND' } } },
  { channel: 'push', to: 'sandbox-500', status: 500, body: { error: { status: 'INTERNAL' } } },
] as const)('$to fails by itself on $channel', async ({ channel, to, status, body }) => {
  expect(await call(await freshSandbox(), channel, to)).toMatchObject({ status, body });
});

test('an order for one provider of SMS strikes it alone, before one for SMS', () => {
  const faults = new Faults();
  const sms = { channel: 'sms', to: PHONE, method: 'send', sends: true } as const;
  faults.order(
    [
      { channel: 'sms', provider: 'play-mobile', effect: 'slow' },
      { channel: 'sms', effect: 'server-error' },
    ].map((order) => FaultOrder.parse(order)),
  );
  expect(faults.take({ ...sms, provider: 'play-mobile' })).toMatchObject({ effect: 'slow' });
  expect(faults.take({ ...sms, provider: 'twilio' })).toMatchObject({ effect: 'server-error' });
  faults.clear({ provider: 'play-mobile' });
  expect(faults.take({ ...sms, provider: 'play-mobile' })).toMatchObject({ effect: 'server-error' });
});

test.each([
  { provider: 'play-mobile', effect: 'slow' },
  { channel: 'push', provider: 'play-mobile', effect: 'slow' },
  { channel: 'sms', provider: 'play-mobile', effect: 'reject', code: 21_211 },
  { channel: 'sms', provider: 'twilio', effect: 'undelivered', code: 'Rejected' },
])('%j is no order', (order) => {
  expect(FaultOrder.safeParse(order).success).toBe(false);
});
