import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import type { CallbackRequest } from '../../../../domain/verify/callback.ts';
import { twilioCallbacks } from '../../../../infra/providers/verify/twilio-callback.ts';
import { twilioSms } from '../../../../infra/providers/verify/twilio-sms.ts';
import { ACCOUNT, AUTH_TOKEN, freshSandbox, PHONE, receiver, SENDER } from '../../../apps/sandbox/support.ts';
import { deadline } from '../support.ts';
import { readAll, statusesOf } from './callback-readings.ts';
import { JOB_ID, messageTo } from './code-message.ts';

const NOW = new Date('2026-11-20T10:00:00Z');
const message = messageTo({ phone: PHONE });

async function smsSent(order: Parameters<Awaited<ReturnType<typeof freshSandbox>>['orderFaults']> = []) {
  const sandbox = await freshSandbox({
    credentials: { twilio: { accountSid: ACCOUNT, authToken: AUTH_TOKEN } },
  });
  sandbox.orderFaults(...order);
  const api = await receiver();
  const statusCallbackUrl = (jobId: string, attempt: number) => `${api.url}/cb/${jobId}/${attempt}?x=a%20b`;
  const sms = twilioSms({
    accountSid: ACCOUNT,
    authToken: AUTH_TOKEN,
    from: SENDER,
    apiUrl: sandbox.url,
    statusCallbackUrl,
  });
  const reply = await sms.send(message, deadline());
  return { api, reference: reply.kind === 'accepted' ? reply.reference : '' };
}

test('Twilio’s genuine callbacks tell of sent and delivered, each with the reference of its message', async () => {
  const { api, reference } = await smsSent();
  const reader = twilioCallbacks({ authToken: AUTH_TOKEN });
  await expect
    .poll(() => statusesOf(readAll(reader, api)))
    .toEqual(expect.arrayContaining(['sent', 'delivered']));
  const readings = readAll(reader, api);
  expect(readings.map(({ kind: reading }) => reading)).not.toContain('forged');
  const references = readings.flatMap((reading) => (reading.kind === 'report' ? [reading.reference] : []));
  expect(new Set(references)).toEqual(new Set([reference]));
});

test('what Twilio could not deliver is failed, with its code', async () => {
  const { api } = await smsSent([{ channel: 'sms', effect: 'undelivered', code: 30005 }]);
  const reader = twilioCallbacks({ authToken: AUTH_TOKEN });
  await expect.poll(() => statusesOf(readAll(reader, api))).toContain('failed');
  expect(readAll(reader, api)).toContainEqual(
    expect.objectContaining({ report: expect.objectContaining({ status: 'failed', reason: '30005' }) }),
  );
});

test('what ran out of its validity is expired', async () => {
  const { api } = await smsSent([{ channel: 'sms', effect: 'undelivered', code: 30036 }]);
  await expect
    .poll(() => statusesOf(readAll(twilioCallbacks({ authToken: AUTH_TOKEN }), api)))
    .toContain('expired');
});

/** base64(HMAC-SHA1(auth token, address, then every name and value sorted by name)), written down a second time. */
function twilioSignature(token: string, url: string, fields: Record<string, string>): string {
  const text = Object.entries(fields)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flat()
    .join('');
  return createHmac('sha1', token)
    .update(url + text)
    .digest('base64');
}

const form = { MessageSid: 'SM1', MessageStatus: 'delivered', To: PHONE, AccountSid: ACCOUNT };
function twilioRequest(
  changes: { signedUrl?: string; url?: string; form?: Record<string, string>; token?: string } = {},
): CallbackRequest {
  const url = changes.url ?? 'https://navbat.example/cb/1';
  const fields = changes.form ?? form;
  const signature = twilioSignature(changes.token ?? AUTH_TOKEN, changes.signedUrl ?? url, fields);
  return {
    url,
    headers: { 'x-twilio-signature': signature },
    body: Buffer.from(new URLSearchParams(fields).toString()),
    jobId: JOB_ID,
    attempt: 1,
  };
}
const readTwilio = (request: CallbackRequest) =>
  twilioCallbacks({ authToken: AUTH_TOKEN }).read(request, NOW);

test.each([
  { url: 'https://navbat.example/cb/1', signedUrl: 'https://navbat.example:443/cb/1' },
  { url: 'https://navbat.example:8443/cb/1', signedUrl: 'https://navbat.example/cb/1' },
  { url: 'http://navbat.example:3000/cb/1', signedUrl: 'http://navbat.example:3000/cb/1' },
])('Twilio signing $signedUrl is believed at $url', (urls) => {
  const at = {
    kind: 'report',
    reference: 'SM1',
    report: { status: 'delivered', reason: null, at: NOW, refunded: false },
  };
  expect(readTwilio(twilioRequest(urls))).toEqual(at);
});

test.each(['queued', 'accepted', 'sending', 'scheduled', 'a-word-of-next-year'])(
  '%s is nothing new',
  (MessageStatus) => {
    expect(readTwilio(twilioRequest({ form: { ...form, MessageStatus } }))).toEqual({
      kind: 'nothing-new',
    });
  },
);

test('a signed form without a message is unreadable', () => {
  expect(readTwilio(twilioRequest({ form: { To: PHONE } }))).toEqual({ kind: 'unreadable' });
});

test.each(['a\0b', '\u202e7', 'a b', 'x'.repeat(257)])(
  'a signed form with the id %j is unreadable',
  (MessageSid) => {
    expect(readTwilio(twilioRequest({ form: { ...form, MessageSid } }))).toEqual({ kind: 'unreadable' });
  },
);

test('a word of every object is none of Twilio’s, and a code of a thousand digits is none', () => {
  expect(readTwilio(twilioRequest({ form: { ...form, MessageStatus: 'constructor' } }))).toEqual({
    kind: 'nothing-new',
  });
  const long = { ...form, MessageStatus: 'failed', ErrorCode: '3'.repeat(1_000) };
  expect(readTwilio(twilioRequest({ form: long }))).toMatchObject({ report: { reason: null } });
});

test('a field that Twilio adds next year is covered by its signature and otherwise left alone', () => {
  expect(readTwilio(twilioRequest({ form: { ...form, Zone: 'new' } }))).toMatchObject({ kind: 'report' });
});

const genuineTwilio = twilioRequest();
test.each([
  { what: 'another token', request: twilioRequest({ token: 'e'.repeat(32) }) },
  { what: 'another address', request: { ...genuineTwilio, url: 'https://navbat.example/cb/2' } },
  { what: 'no signature', request: { ...genuineTwilio, headers: {} } },
  { what: 'an empty signature', request: { ...genuineTwilio, headers: { 'x-twilio-signature': '' } } },
  { what: 'two signatures', request: { ...genuineTwilio, headers: { 'x-twilio-signature': ['a', 'b'] } } },
  {
    what: 'a changed status',
    request: {
      ...genuineTwilio,
      body: Buffer.from(new URLSearchParams({ ...form, MessageStatus: 'failed' }).toString()),
    },
  },
  {
    what: 'an added field',
    request: { ...genuineTwilio, body: Buffer.concat([genuineTwilio.body, Buffer.from('&ErrorCode=30003')]) },
  },
])('a callback in Twilio’s name with $what is forged', ({ request }) => {
  expect(readTwilio(request)).toEqual({ kind: 'forged' });
});
