import { expect, test } from 'vitest';
import type { FaultRequest } from '../../../../apps/sandbox/faults.ts';
import type { CallbackRequest } from '../../../../domain/verify/callback.ts';
import { eskizCallbacks } from '../../../../infra/providers/verify/eskiz-callback.ts';
import { eskizCallbackToken } from '../../../../infra/providers/verify/eskiz-callback-token.ts';
import { eskizSms } from '../../../../infra/providers/verify/eskiz-sms.ts';
import { freshSandbox, PHONE, receiver } from '../../../apps/sandbox/support.ts';
import { deadline } from '../support.ts';
import { readAll, statusesOf } from './callback-readings.ts';
import { JOB_ID, messageTo } from './code-message.ts';

const NOW = new Date('2026-11-20T10:00:00Z');
const account = { email: 'sms@navbat.example', password: 'a-password-of-the-sandbox' };
const reader = eskizCallbacks(account);
const tokenOf = eskizCallbackToken(account);
const mine = { channel: 'sms', provider: 'eskiz' } as const;

async function smsSent(...order: FaultRequest[]) {
  const sandbox = await freshSandbox();
  sandbox.orderFaults(...order);
  const api = await receiver();
  const callbackUrl = (jobId: string, attempt: number) => `${api.url}/cb/${jobId}/${attempt}?x=a%20b`;
  const sms = eskizSms({ ...account, from: '4546', apiUrl: `${sandbox.url}/eskiz`, callbackUrl });
  const reply = await sms.send(messageTo({ phone: PHONE }), deadline());
  return { api, reference: reply.kind === 'accepted' ? reply.reference : '' };
}

test('Eskiz’s genuine callbacks tell of sent and delivered, each with the reference of its message', async () => {
  const { api, reference } = await smsSent();
  await expect.poll(() => statusesOf(readAll(reader, api))).toEqual(['sent', 'delivered']);
  expect(readAll(reader, api).map((reading) => reading.kind === 'report' && reading.reference)).toEqual([
    reference,
    reference,
  ]);
});

test.each([
  { code: 'UNDELIV', status: 'failed', reason: 'UNDELIV' },
  { code: 'REJECTED', status: 'failed', reason: 'REJECTED' },
  { code: 'EXPIRED', status: 'expired', reason: null },
])('$code is $status', async ({ code, status, reason }) => {
  const { api } = await smsSent({ ...mine, effect: 'undelivered', code });
  await expect.poll(() => statusesOf(readAll(reader, api))).toEqual(['sent', status]);
  expect(readAll(reader, api).at(-1)).toMatchObject({ report: { status, reason, refunded: false } });
});

test('reports come twice and in the wrong order where that is ordered, and each is read', async () => {
  const { api } = await smsSent({ ...mine, effect: 'reports', report_times: 2, reversed: true });
  await expect
    .poll(() => statusesOf(readAll(reader, api)))
    .toEqual(['delivered', 'delivered', 'sent', 'sent']);
});

test('a report without its token is unsigned: it is refused before its body is read', async () => {
  const { api } = await smsSent({ ...mine, effect: 'reports', forged: true });
  await expect.poll(() => api.received.length).toBe(2);
  for (const { url, headers } of api.received)
    expect(reader.isSigned({ url: api.url + url, headers, jobId: JOB_ID, attempt: 1 })).toBe(false);
  expect(readAll(reader, api).map(({ kind }) => kind)).toEqual(['forged', 'forged']);
});

const address = (attempt = 1, token = tokenOf(JOB_ID, attempt)) =>
  `https://navbat.example/callbacks/eskiz/${JOB_ID}/${attempt}?token=${token}`;
const form = { request_id: 'r1', user_sms_id: `${JOB_ID}-1`, status: 'DELIVRD' };
const requestOf = (body: string, changes: Partial<CallbackRequest> = {}): CallbackRequest => ({
  url: address(),
  headers: {},
  body: Buffer.from(body),
  jobId: JOB_ID,
  attempt: 1,
  ...changes,
});
const asForm = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
const read = (request: CallbackRequest) => reader.read(request, NOW);
const report = { status: 'delivered', reason: null, at: NOW, refunded: false };

test.each([
  { what: 'a form', body: asForm(form) },
  { what: 'JSON', body: JSON.stringify(form) },
  { what: 'JSON with numbers and more fields', body: JSON.stringify({ ...form, sms_count: 1, price: null }) },
  { what: 'message_id in place of request_id', body: asForm({ message_id: 'r1', status: 'delivered' }) },
  { what: 'no user_sms_id', body: asForm({ request_id: 'r1', status: 'DELIVERED' }) },
])('$what is read', ({ body }) => {
  expect(read(requestOf(body))).toEqual({ kind: 'report', reference: 'r1', report });
});

test.each([
  ['TRANSMTD', 'sent'],
  ['ACCEPTD', 'sent'],
  ['DELIVERED', 'delivered'],
  ['EXPIRED', 'expired'],
  ['REJECTED', 'failed'],
  ['UNDELIV', 'failed'],
])('%s is %s', (status, meaning) => {
  expect(read(requestOf(asForm({ ...form, status })))).toMatchObject({ report: { status: meaning } });
});

test.each(['NEW', 'WAITING', 'ENROUTE', 'a-word-of-next-year'])('%s is nothing new', (status) => {
  expect(read(requestOf(asForm({ ...form, status })))).toEqual({ kind: 'nothing-new' });
});

test.each(['', '{', 'null', '[]', asForm({ status: 'DELIVRD' }), asForm({ request_id: 'r1' })])(
  'with its token %j is unreadable',
  (body) => {
    expect(read(requestOf(body))).toEqual({ kind: 'unreadable' });
  },
);

test.each(['a\0b', '\u202e7', 'a b', 'é', 'x'.repeat(257)])(
  'the id %j of a message is unreadable, in a form and in JSON',
  (request_id) => {
    for (const body of [asForm({ ...form, request_id }), JSON.stringify({ ...form, request_id })])
      expect(read(requestOf(body))).toEqual({ kind: 'unreadable' });
  },
);

const other = { password: 'another password' };
test.each([
  { what: 'no token', changes: { url: address().split('?')[0] ?? '' } },
  { what: 'an empty token', changes: { url: address(1, '') } },
  { what: 'a token cut by a letter', changes: { url: address().slice(0, -1) } },
  { what: 'the token of another attempt', changes: { url: address(1, tokenOf(JOB_ID, 2)) } },
  {
    what: 'the token of another account',
    changes: { url: address(1, eskizCallbackToken(other)(JOB_ID, 1)) },
  },
  { what: 'an address that is none', changes: { url: 'nowhere' } },
  { what: 'another attempt than its token', changes: { attempt: 2 } },
])('a callback with $what is forged, and unsigned', ({ changes }) => {
  const request = requestOf(asForm(form), changes);
  expect(reader.isSigned(request)).toBe(false);
  expect(read(request)).toEqual({ kind: 'forged' });
});

test('a genuine report sent on to its own address with another message’s id is forged', () => {
  expect(read(requestOf(asForm({ ...form, user_sms_id: `${JOB_ID}-2` })))).toEqual({ kind: 'forged' });
});
