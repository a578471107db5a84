import twilio from 'twilio';
import { expect, test } from 'vitest';
import type { Sandbox } from '../../../apps/sandbox/start-sandbox.ts';
import { ACCOUNT, AUTH_TOKEN, freshSandbox, PHONE, receiver, SENDER, temporaryDirectory } from './support.ts';
import { eventually } from '../../support/eventually.ts';

/** The official client, pointed at the sandbox as the product's adapter may be. */
function clientOf(sandbox: Sandbox, authToken = AUTH_TOKEN) {
  const client = twilio(ACCOUNT, authToken);
  client.api.baseUrl = sandbox.url;
  return client;
}
const sms = { to: PHONE, from: SENDER, body: 'Your code is 123456' };

test('the official client sends a message and reads it back', async () => {
  const sandbox = await freshSandbox();
  const client = clientOf(sandbox);
  const sent = await client.messages.create(sms);
  expect(sent).toMatchObject({
    status: 'queued',
    to: PHONE,
    from: SENDER,
    body: sms.body,
    numSegments: '1',
    errorCode: null,
  });
  expect(sent.sid).toMatch(/^SM[0-9a-f]{32}$/);
  expect(sent.dateCreated).toBeInstanceOf(Date);
  await eventually(async () => expect((await client.messages(sent.sid).fetch()).status).toBe('delivered'));
  expect(sandbox.inbox({ to: PHONE })).toMatchObject([
    { channel: 'sms', text: sms.body, provider_reference: sent.sid },
  ]);
  expect((await client.messages.list({ to: PHONE })).map(({ sid }) => sid)).toEqual([sent.sid]);
});

test('a message of a messaging service is accepted, and names its service', async () => {
  const client = clientOf(await freshSandbox());
  const sent = await client.messages.create({
    to: PHONE,
    messagingServiceSid: `MG${'2'.repeat(32)}`,
    body: 'Kod: 1',
  });
  expect(sent).toMatchObject({ status: 'accepted', messagingServiceSid: `MG${'2'.repeat(32)}`, from: null });
});

test.each([
  { why: 'no number', change: { to: '12' }, code: 21211, status: 400 },
  { why: 'no text', change: { body: '' }, code: 21602, status: 400 },
  { why: '1601 characters', change: { body: 'x'.repeat(1601) }, code: 21617, status: 400 },
  { why: 'a sender that is none', change: { from: '+' }, code: 21212, status: 400 },
  { why: 'itself as recipient', change: { to: SENDER }, code: 21266, status: 400 },
  { why: 'a callback that is no address', change: { statusCallback: 'nowhere' }, code: 21609, status: 400 },
  { why: 'a validity of 36 001 s', change: { validityPeriod: 36_001 }, code: 21624, status: 400 },
])('the official client throws $code for $why', async ({ change, code, status }) => {
  const sandbox = await freshSandbox();
  const error = await clientOf(sandbox)
    .messages.create({ ...sms, ...change })
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code, status, moreInfo: `https://www.twilio.com/docs/errors/${code}` });
  expect(sandbox.inbox()).toEqual([]);
});

test('the largest text and the longest validity are still accepted', async () => {
  const client = clientOf(await freshSandbox());
  const sent = await client.messages.create({ ...sms, body: 'x'.repeat(1600), validityPeriod: 36_000 });
  expect(sent.numSegments).toBe('11');
});

test('wrong credentials are 401 with code 20003', async () => {
  const sandbox = await freshSandbox({
    credentials: { twilio: { accountSid: ACCOUNT, authToken: AUTH_TOKEN } },
  });
  await expect(clientOf(sandbox, 'wrong').messages.create(sms)).rejects.toMatchObject({
    code: 20003,
    status: 401,
  });
  await expect(clientOf(sandbox).messages.create(sms)).resolves.toMatchObject({ status: 'queued' });
});

test('an unknown message is 404 with code 20404', async () => {
  const client = clientOf(await freshSandbox());
  await expect(client.messages(`SM${'0'.repeat(32)}`).fetch()).rejects.toMatchObject({
    code: 20404,
    status: 404,
  });
});

test('one idempotency token is one message, over a restart too', async () => {
  const directory = await temporaryDirectory();
  const first = await freshSandbox({ directory });
  const send = async ({ url }: Sandbox, token: string): Promise<string> => {
    const response = await fetch(`${url}/2010-04-01/Accounts/${ACCOUNT}/Messages.json`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${btoa(`${ACCOUNT}:${AUTH_TOKEN}`)}`,
        'I-Twilio-Idempotency-Token': token,
      },
      body: new URLSearchParams({ To: PHONE, From: SENDER, Body: 'hello' }),
    });
    expect(response.status).toBe(201);
    return ((await response.json()) as { sid: string }).sid;
  };
  const sid = await send(first, 'attempt-1');
  expect(await send(first, 'attempt-1')).toBe(sid);
  expect(await send(first, 'attempt-2')).not.toBe(sid);
  await first.close();
  const second = await freshSandbox({ directory });
  expect(await send(second, 'attempt-1')).toBe(sid);
  expect(second.inbox()).toHaveLength(2);
  expect(second.inbox()[0]).toMatchObject({ idempotency_key: 'attempt-1' });
});

test('callbacks tell queued, sent and delivered, each with a signature that Twilio’s own check accepts', async () => {
  const client = clientOf(await freshSandbox({ timing: { stepMs: 40 } }));
  const { url, received } = await receiver();
  const statusCallback = `${url}/callbacks/twilio?attempt=1&x=a%20b`;
  const sent = await client.messages.create({ ...sms, statusCallback });
  await eventually(() => expect(received).toHaveLength(3));
  const forms = received.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
  expect(forms.map((form) => form['MessageStatus'])).toEqual(['queued', 'sent', 'delivered']);
  for (const [index, form] of forms.entries()) {
    expect(form).toMatchObject({
      MessageSid: sent.sid,
      AccountSid: ACCOUNT,
      To: PHONE,
      From: SENDER,
      ApiVersion: '2010-04-01',
    });
    const signature = String(received[index]?.headers['x-twilio-signature']);
    expect(twilio.validateRequest(AUTH_TOKEN, signature, statusCallback, form)).toBe(true);
    expect(twilio.validateRequest('another token', signature, statusCallback, form)).toBe(false);
  }
});

test('a callback that is refused is posted again', async () => {
  const client = clientOf(await freshSandbox());
  const { url, received } = await receiver((_one, count) => (count <= 2 ? 500 : 204));
  await client.messages.create({ ...sms, statusCallback: url });
  const statuses = () => received.map(({ body }) => new URLSearchParams(body).get('MessageStatus'));
  await eventually(() => expect(statuses()).toHaveLength(5));
  // Which two were refused is a matter of their order on the way; each of the three arrived in the end.
  expect(new Set(statuses())).toEqual(new Set(['queued', 'sent', 'delivered']));
});
