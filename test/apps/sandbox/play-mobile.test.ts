import { expect, test } from 'vitest';
import type { FaultRequest } from '../../../apps/sandbox/faults.ts';
import type { Sandbox } from '../../../apps/sandbox/start-sandbox.ts';
import { freshSandbox, PHONE, PLAY_MOBILE, receiver, temporaryDirectory } from './support.ts';

const basic = (password = PLAY_MOBILE.password) =>
  `Basic ${Buffer.from(`${PLAY_MOBILE.login}:${password}`).toString('base64')}`;
const message = (changes: object = {}, sms: object = {}) => ({
  recipient: '998901234567',
  'message-id': 'one',
  sms: { originator: '3700', content: { text: 'Navbat: 123456' }, ...sms },
  ...changes,
});

/** One call of the broker's API, without a client between. */
async function send(sandbox: Sandbox, messages: unknown[], authorization = basic()) {
  const response = await fetch(`${sandbox.url}/broker-api/send`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ messages }),
  });
  return { status: response.status, text: await response.text() };
}
const words = async (sandbox: Sandbox, messages: unknown[], authorization?: string) =>
  (await send(sandbox, messages, authorization)).text;

async function agreed(order?: FaultRequest) {
  const api = await receiver();
  const reportUrl = `${api.url}/callbacks/play-mobile?token=token`;
  const sandbox = await freshSandbox({ credentials: { playMobile: { ...PLAY_MOBILE, reportUrl } } });
  if (order) sandbox.orderFaults(order);
  await send(sandbox, [message()]);
  const reported = () =>
    api.received.map(({ url, body }) => [url.split('=').at(-1), JSON.parse(body).messages[0].status]);
  return { sandbox, api, reported };
}

test('a message is taken in the broker’s words, and shows in the inbox', async () => {
  const sandbox = await freshSandbox();
  expect(await send(sandbox, [message()])).toEqual({ status: 200, text: 'Request is received' });
  expect(sandbox.inbox({ to: PHONE, provider: 'play-mobile' })).toMatchObject([
    { channel: 'sms', from: '3700', text: 'Navbat: 123456', provider_reference: 'one' },
  ]);
  expect(sandbox.calls({ provider: 'play-mobile' })).toMatchObject([
    { method: 'send', to: PHONE, status: 200, idempotency_key: 'one' },
  ]);
  expect(await (await fetch(`${sandbox.url}/inbox`)).text()).toContain('Play Mobile');
});

test('one message-id is one message, even after a restart, and within one call', async () => {
  const directory = await temporaryDirectory();
  const first = await freshSandbox({ directory });
  await send(first, [message()]);
  expect(await words(first, [message()])).toContain('Duplicate message-id');
  await first.close();
  const second = await freshSandbox({ directory });
  expect(await words(second, [message()])).toContain('Duplicate message-id');
  expect(await words(second, [message({ 'message-id': 'two' }), message({ 'message-id': 'two' })])).toContain(
    'Duplicate',
  );
  expect(second.inbox()).toHaveLength(1);
});

test.each([
  ['no recipient', message({ recipient: '' }), 'Empty recipient'],
  ['a number that is none of Uzbekistan', message({ recipient: '15005550006' }), 'Invalid recipient'],
  ['no message-id', message({ 'message-id': '' }), 'Empty message-id'],
  ['a message-id of 21 characters', message({ 'message-id': 'x'.repeat(21) }), 'Syntax error'],
  ['no originator', message({}, { originator: '' }), 'Empty originator'],
  ['no text', message({}, { content: { text: '' } }), 'Empty content'],
  ['a ttl of 0', message({}, { ttl: '0' }), 'Invalid ttl'],
  ['an unknown priority', message({ priority: 'now' }), 'Syntax error'],
])('%s is refused in the broker’s words', async (_what, sent, error_description) => {
  const sandbox = await freshSandbox();
  const { status, text } = await send(sandbox, [sent]);
  expect(status).toBe(400);
  expect(JSON.parse(text)).toEqual({ error_code: expect.any(String), error_description });
  expect(sandbox.inbox()).toEqual([]);
});

test('another password is refused where the account is known', async () => {
  const sandbox = await freshSandbox({ credentials: { playMobile: PLAY_MOBILE } });
  expect((await send(sandbox, [message()], basic('another'))).status).toBe(401);
  expect((await send(sandbox, [message()], '')).status).toBe(401);
  expect((await send(sandbox, [message()])).status).toBe(200);
});

test('the balance is paid by part; what it does not cover is refused and not taken', async () => {
  const sandbox = await freshSandbox();
  const account = (init?: RequestInit) =>
    fetch(`${sandbox.url}/play-mobile`, init).then((response) => response.json());
  await account({ method: 'PUT', body: JSON.stringify({ balance_uzs: 300, part_uzs: 100 }) });
  const long = { content: { text: 'Ж'.repeat(71) } };
  await send(sandbox, [message({}, long)]);
  expect(await account()).toMatchObject({ balance_uzs: 100 });
  expect(await words(sandbox, [message({ 'message-id': 'two' }, long)])).toContain('Not enough money');
  expect(await account()).toMatchObject({ balance_uzs: 100 });
});

test('its account has the names of Eskiz’s, and a name that it does not know is refused', async () => {
  const sandbox = await freshSandbox();
  const names = async (path: string) =>
    Object.keys((await (await fetch(`${sandbox.url}${path}`)).json()) as object);
  expect(await names('/eskiz')).toEqual(expect.arrayContaining(await names('/play-mobile')));
  const put = await fetch(`${sandbox.url}/play-mobile`, { method: 'PUT', body: '{"balance":5}' });
  expect(put.status).toBe(400);
  expect(await put.json()).toEqual({ error: 'balance: There is no such field.' });
});

test.each([
  ['Navbat: *', 'Navbat: 123456', true],
  ['*: 123456', 'Navbat: 123456', true],
  ['N*t: *6', 'Navbat: 123456', true],
  ['Navbat: 123456', 'Navbat: 123456', true],
  ['Navbat: 12', 'Navbat: 123456', false],
  ['Navbat: 1*123456', 'Navbat: 123456', false],
  ['*x*', 'Navbat: 123456', false],
])('the template %s approves %s: %s', async (template, text, isApproved) => {
  const sandbox = await freshSandbox();
  await fetch(`${sandbox.url}/play-mobile`, {
    method: 'PUT',
    body: JSON.stringify({ templates: [template] }),
  });
  const { status } = await send(sandbox, [message({}, { content: { text } })]);
  expect(status).toBe(isApproved ? 200 : 400);
});

test('what was sent and delivered is reported to the agreed address', async () => {
  const { reported } = await agreed();
  await expect.poll(reported).toHaveLength(2);
  expect(reported()).toEqual(
    expect.arrayContaining([
      ['token', 'Delivered'],
      ['token', 'Transmitted'],
    ]),
  );
});

const struck = { channel: 'sms', provider: 'play-mobile' } as const;
test.each([
  { order: { ...struck, effect: 'undelivered', code: 'Rejected' }, last: ['token', 'Rejected'] },
  { order: { ...struck, effect: 'undelivered' }, last: ['token', 'NotDelivered'] },
  { order: { ...struck, effect: 'reports', forged: true }, last: ['forged', 'Delivered'] },
  { order: { ...struck, effect: 'lossy', share: 1, says: 'delivered' }, last: ['token', 'Delivered'] },
  { order: { ...struck, effect: 'never-delivered' }, last: ['token', 'Transmitted'] },
] as const)('$order.effect is reported as $last', async ({ order, last }) => {
  const { reported } = await agreed(order);
  await expect.poll(reported).toContainEqual(last);
});

test('a report may come twice, late, or never', async () => {
  const twice = await agreed({ ...struck, effect: 'reports', report_times: 2 });
  await expect.poll(twice.reported).toHaveLength(4);
  const late = await agreed({ ...struck, effect: 'reports', after_ms: 60_000 });
  const never = await agreed({ ...struck, effect: 'reports', report_times: 0 });
  const lost = await agreed({ ...struck, effect: 'lossy', share: 1 });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect([...late.reported(), ...never.reported(), ...lost.reported()]).toEqual([]);
});
