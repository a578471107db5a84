import { expect, test } from 'vitest';
import type { FaultRequest } from '../../../../apps/sandbox/faults.ts';
import { reportsAddress } from '../../../../infra/process/reports-address.ts';
import { playMobileReports } from '../../../../infra/providers/verify/play-mobile-reports.ts';
import { playMobileSms, referenceOf } from '../../../../infra/providers/verify/play-mobile-sms.ts';
import { freshSandbox, PHONE, PLAY_MOBILE, receiver } from '../../../apps/sandbox/support.ts';
import { deadline } from '../support.ts';
import { JOB_ID, messageTo } from './code-message.ts';

const NOW = new Date('2026-11-20T10:00:00Z');
const reader = playMobileReports(PLAY_MOBILE);
const tokenIn = (url: string) => url.split('token=').at(-1) ?? '';
const readList = (body: unknown) => reader.read(Buffer.from(JSON.stringify(body)), NOW);
const read = (body: unknown) => readList(body).reports;

/** What the sandbox's broker posts of one message, as a reader sees it. */
async function reported(order?: FaultRequest) {
  const api = await receiver();
  const reportUrl = reportsAddress(api.url, PLAY_MOBILE.password);
  const sandbox = await freshSandbox({ credentials: { playMobile: { ...PLAY_MOBILE, reportUrl } } });
  if (order) sandbox.orderFaults(order);
  const sms = playMobileSms({ ...PLAY_MOBILE, from: '3700', apiUrl: `${sandbox.url}/broker-api` });
  await sms.send(messageTo({ phone: PHONE }), deadline());
  return () =>
    api.received.map(({ url, body }) => ({
      proven: reader.isProven(tokenIn(url)),
      reports: reader.read(Buffer.from(body), NOW).reports,
    }));
}

test('the broker’s reports are proven and tell of the message that the attempt named', async () => {
  const came = await reported();
  await expect.poll(() => came().length).toBe(2);
  const of = (status: string) => ({
    proven: true,
    reports: [
      { reference: referenceOf(JOB_ID, 1), report: { status, reason: null, at: NOW, refunded: false } },
    ],
  });
  expect(came()).toEqual(expect.arrayContaining([of('sent'), of('delivered')]));
});

test('what could not be delivered is failed, with the broker’s word; what ran out is expired', async () => {
  const struck = { channel: 'sms', provider: 'play-mobile', effect: 'undelivered' } as const;
  const reportOf = (status: string, reason: string | null) =>
    expect.objectContaining({
      reports: [expect.objectContaining({ report: expect.objectContaining({ status, reason }) })],
    });
  const rejected = await reported({ ...struck, code: 'Rejected' });
  await expect.poll(rejected).toContainEqual(reportOf('failed', 'Rejected'));
  const expired = await reported({ ...struck, code: 'Expired' });
  await expect.poll(expired).toContainEqual(reportOf('expired', null));
});

test('a forged report is not proven', async () => {
  const came = await reported({
    channel: 'sms',
    provider: 'play-mobile',
    effect: 'reports',
    forged: true,
  });
  await expect.poll(() => came().length).toBe(2);
  expect(came().map(({ proven }) => proven)).toEqual([false, false]);
});

const token = tokenIn(reportsAddress('', PLAY_MOBILE.password));
test('the token is that of the password alone, and does not show it', () => {
  expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(reader.isProven(token)).toBe(true);
  expect(reportsAddress('https://navbat.example', 'another')).not.toContain(token);
  for (const other of ['', token.slice(1), `${token}x`, token.toUpperCase(), PLAY_MOBILE.password])
    expect(reader.isProven(other)).toBe(false);
});

const delivered = { 'message-id': 'one', status: 'Delivered' };
test.each([
  { what: 'one', body: delivered },
  { what: 'a list', body: [delivered] },
  { what: 'a named list', body: { messages: [delivered] } },
  { what: 'one with fields of next year', body: { ...delivered, channel: 'sms', zone: 'new' } },
  { what: 'one in other letters', body: { 'message-id': 'one', status: 'DELIVERED' } },
])('$what is read', ({ body }) => {
  expect(read(body)).toMatchObject([{ reference: 'one', report: { status: 'delivered' } }]);
});

test.each([
  ['Transmitted', 'sent'],
  ['NotDelivered', 'failed'],
  ['Not delivered', 'failed'],
  ['Failed', 'failed'],
  ['Rejected', 'failed'],
  ['Expired', 'expired'],
])('%s is %s', (word, status) => {
  expect(read({ 'message-id': 'one', status: word })).toMatchObject([{ report: { status } }]);
});

test('a word that is not known says nothing, and the others of its list are read', () => {
  expect(read([{ 'message-id': 'one', status: 'Waiting' }, delivered])).toMatchObject([
    { reference: 'one', report: { status: 'delivered' } },
  ]);
});

test.each([null, 7, 'Delivered', {}, { 'message-id': 'one' }, [{}], { messages: 'one' }])(
  '%j is unreadable',
  (body) => {
    expect(readList(body)).toEqual({ entries: 1, reports: [], unreadable: 1 });
  },
);

test('a body that is no JSON is unreadable', () => {
  expect(reader.read(Buffer.from('message-id=one'), NOW)).toEqual({ entries: 1, reports: [], unreadable: 1 });
});

test('an empty list has nothing in it', () => {
  expect(readList([])).toEqual({ entries: 0, reports: [], unreadable: 0 });
});

test.each([
  ['no status', { 'message-id': 'zzz', status: null }],
  ['a number as status', { 'message-id': 'zzz', status: 2 }],
  ['a status of 65 letters', { 'message-id': 'zzz', status: 'x'.repeat(65) }],
  ['no id', { 'message-id': null, status: 'Delivered' }],
  ['an id of 257 characters', { 'message-id': 'z'.repeat(257), status: 'Delivered' }],
  ['U+0000 in its id', { 'message-id': 'a\0b', status: 'Delivered' }],
  ['half of a surrogate pair in its id', { 'message-id': '\ud800', status: 'Delivered' }],
  ['a space in its id', { 'message-id': 'a b', status: 'Delivered' }],
  ['no fields at all', 'zzz'],
])('an entry with %s is counted, and takes no other of its list with it', (_what, odd) => {
  const known = [{ reference: 'one', report: { status: 'delivered' } }];
  for (const body of [[delivered, odd], [odd, delivered], { messages: [odd, delivered] }])
    expect(readList(body)).toMatchObject({ entries: 2, reports: known, unreadable: 1 });
});

test('a reason is made safe, and a word that every object knows says nothing', () => {
  expect(read({ 'message-id': 'one', status: 'Failed\0\u202e' })).toMatchObject([
    { report: { status: 'failed', reason: 'Failed' } },
  ]);
  expect(readList({ 'message-id': 'one', status: 'constructor' })).toMatchObject({
    reports: [],
    unreadable: 0,
  });
});
