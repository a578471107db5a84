import { expect, test } from 'vitest';
import type { Sandbox } from '../../../apps/sandbox/start-sandbox.ts';
import { freshSandbox, PHONE, receiver } from './support.ts';

const account = { email: 'sms@navbat.example', password: 'a-password-of-the-sandbox' };
const phone = PHONE.slice(1);

type Answer = { status: number; body: Record<string, never> & { data?: unknown } };
async function call(
  { url }: Pick<Sandbox, 'url'>,
  request: string,
  { token, form, json }: { token?: string; form?: Record<string, string>; json?: object } = {},
): Promise<Answer> {
  const [method = '', path = ''] = request.split(' ');
  const response = await fetch(`${url}/eskiz${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(json && { 'content-type': 'application/json' }),
    },
    ...(form && { body: new URLSearchParams(form) }),
    ...(json && { body: JSON.stringify(json) }),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}
const tokenIn = ({ body }: Answer) => (body.data as { token: string }).token;
const login = async (sandbox: Sandbox) => tokenIn(await call(sandbox, 'POST /auth/login', { form: account }));
const sms = { mobile_phone: phone, message: 'Kod 123456', from: '4546', user_sms_id: 'u1' };

test('only the account that is set may log in; without one any may', async () => {
  const sandbox = await freshSandbox({ credentials: { eskiz: account } });
  const wrong = await call(sandbox, 'POST /auth/login', { form: { ...account, password: 'x' } });
  expect(wrong.status).toBe(401);
  expect(await login(sandbox)).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  expect((await call(await freshSandbox(), 'POST /auth/login', { json: account })).status).toBe(200);
});

test('nothing is told without a token, and a token ends by the clock of the sandbox', async () => {
  let nowMs = Date.parse('2026-11-20T10:00:00Z');
  const sandbox = await freshSandbox({ clock: () => new Date(nowMs) });
  expect(await call(sandbox, 'GET /user/get-limit')).toMatchObject({ status: 401 });
  sandbox.orderEskiz({ token_seconds: 60 });
  const token = await login(sandbox);
  nowMs += 59_999;
  expect((await call(sandbox, 'GET /user/get-limit', { token })).status).toBe(200);
  nowMs += 1;
  const ended = await call(sandbox, 'GET /user/get-limit', { token });
  expect(ended).toMatchObject({ status: 401, body: { message: 'Token has expired' } });
});

test('a refreshed token takes the place of the one that was shown', async () => {
  const sandbox = await freshSandbox();
  const token = await login(sandbox);
  const fresh = tokenIn(await call(sandbox, 'PATCH /auth/refresh', { token }));
  expect((await call(sandbox, 'GET /auth/user', { token: fresh })).status).toBe(200);
  expect((await call(sandbox, 'GET /auth/user', { token })).status).toBe(401);
});

test('a message lies in the inbox, costs its parts, and its status is told by its id', async () => {
  const sandbox = await freshSandbox();
  sandbox.orderEskiz({ balance_uzs: 200, part_uzs: 95 });
  const token = await login(sandbox);
  const sent = await call(sandbox, 'POST /message/sms/send', { token, form: sms });
  expect(sent).toMatchObject({ status: 200, body: { status: 'waiting' } });
  expect(sandbox.inbox()).toMatchObject([{ provider: 'eskiz', to: PHONE, text: 'Kod 123456' }]);
  const id = String(sent.body['id']);
  await expect
    .poll(async () => (await call(sandbox, `GET /message/sms/status_by_id/${id}`, { token })).body.data)
    .toMatchObject({ status: 'DELIVRD', user_sms_id: 'u1', parts_count: 1 });
  expect((await call(sandbox, 'GET /user/get-limit', { token })).body.data).toEqual({ balance: 105 });
});

test('a batch is each of its messages, and each may be refused alone', async () => {
  const sandbox = await freshSandbox();
  sandbox.orderEskiz({ templates: ['Kod %d'] });
  const messages = [
    { user_sms_id: 'a', to: phone, text: 'Kod 1' },
    { user_sms_id: 'b', to: phone, text: 'Salom' },
    { user_sms_id: 'c', to: 'x', text: 'Kod 2' },
  ];
  const token = await login(sandbox);
  const sent = await call(sandbox, 'POST /message/sms/send-batch', {
    token,
    json: { messages, from: '4546', dispatch_id: 1 },
  });
  expect(sent.body).toMatchObject({ status: ['waiting', 'error', 'error'] });
  expect(sandbox.inbox().map(({ text }) => text)).toEqual(['Kod 1']);
});

test('templates that wait or were rejected approve nothing, and all are listed', async () => {
  const sandbox = await freshSandbox();
  const templates = [
    { template: 'Kod %d', status: 'inproccess' as const },
    { template: 'Salom %w', status: 'service' as const },
  ];
  sandbox.orderEskiz({ templates });
  const token = await login(sandbox);
  const send = (message: string) =>
    call(sandbox, 'POST /message/sms/send', { token, form: { ...sms, message } });
  expect(await send('Kod 123456')).toMatchObject({ status: 400, body: { status: 'error' } });
  expect(await send('Salom Aziza')).toMatchObject({ status: 200 });
  expect((await call(sandbox, 'GET /user/templates', { token })).body).toMatchObject({ result: templates });
});

test('reports may come late, and of a lossy share never or as delivered', async () => {
  const sandbox = await freshSandbox();
  const api = await receiver();
  const token = await login(sandbox);
  const send = () =>
    call(sandbox, 'POST /message/sms/send', {
      token,
      form: { ...sms, callback_url: `${api.url}/cb?token=t` },
    });
  const statuses = () => api.received.map(({ body }) => new URLSearchParams(body).get('status'));
  const mine = { channel: 'sms', provider: 'eskiz' } as const;
  sandbox.orderFaults({ ...mine, effect: 'lossy', share: 1 });
  await send();
  sandbox.orderFaults({ ...mine, effect: 'lossy', share: 1, says: 'delivered' });
  await send();
  await expect.poll(statuses).toEqual(['TRANSMTD', 'DELIVRD']);
  expect(sandbox.inbox().map(({ fate }) => fate)).toEqual(['lost', 'lost']);
  sandbox.orderFaults({ ...mine, effect: 'reports', after_ms: 300 });
  const sentAt = performance.now();
  await send();
  await expect.poll(statuses).toHaveLength(4);
  expect(performance.now() - sentAt).toBeGreaterThan(290);
});

test('an account is ordered and shown over HTTP; what is none is refused', async () => {
  const sandbox = await freshSandbox();
  const put = (order: object) =>
    fetch(`${sandbox.url}/eskiz`, { method: 'PUT', body: JSON.stringify(order) });
  expect(await (await put({ balance_uzs: 5, templates: ['Kod %d'] })).json()).toMatchObject({
    balance_uzs: 5,
    part_uzs: 95,
    templates: [{ template: 'Kod %d', status: 'service' }],
  });
  expect((await put({ balance: 5 })).status).toBe(400);
  const shown = await fetch(`${sandbox.url}/eskiz`);
  expect(await shown.json()).toMatchObject({ balance_uzs: 5 });
});
