import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import type { FaultRequest } from '../../../../apps/sandbox/faults.ts';
import type { SandboxOptions } from '../../../../apps/sandbox/start-sandbox.ts';
import { JobId } from '../../../../domain/shared/ids.ts';
import {
  playMobileSms,
  referenceOf,
  replyToAnswer,
} from '../../../../infra/providers/verify/play-mobile-sms.ts';
import { freshSandbox, PHONE, PLAY_MOBILE } from '../../../apps/sandbox/support.ts';
import { answering, deadline, http, titled } from '../support.ts';
import { channelGuarantees, serverFaults } from './channel-guarantees.ts';
import { CODE, JOB_ID, messageTo } from './code-message.ts';

const smsAt = (origin: string, changes: Partial<Parameters<typeof playMobileSms>[0]> = {}) =>
  playMobileSms({ ...PLAY_MOBILE, from: '3700', apiUrl: `${origin}/broker-api`, ...changes });
const message = messageTo({ phone: PHONE });
const REFERENCE = referenceOf(JOB_ID, 1);
const sandboxOf = (options: Partial<SandboxOptions> = {}) =>
  freshSandbox({ credentials: { playMobile: PLAY_MOBILE }, ...options });
const refusedAs = (reason: string) => ({ kind: 'refused', reason, addressIsDead: false });
const acceptedAs = (parts = 1) => ({ kind: 'accepted', reference: REFERENCE, parts, cost: null });

test('a code goes out at the highest priority with its life and an id of ours', async () => {
  const sandbox = await sandboxOf();
  expect(await smsAt(sandbox.url).send(message, deadline())).toEqual(acceptedAs());
  expect(sandbox.inbox({ to: PHONE })).toMatchObject([
    {
      channel: 'sms',
      provider: 'play-mobile',
      from: '3700',
      text: message.text,
      provider_reference: REFERENCE,
      details: { priority: 'realtime', ttl: '120' },
    },
  ]);
});

test('the id of a message is known before the send, fits the broker, and is another for each attempt', () => {
  const sms = smsAt('http://127.0.0.1:9');
  expect(sms.referenceOf?.(JOB_ID, 1)).toBe(REFERENCE);
  expect(REFERENCE).toMatch(/^[0-9a-f]{20}$/);
  const other = JobId.parse('0198f3c2-6d5e-7a10-9b3c-2f1e4d5c6b7b');
  expect(new Set([REFERENCE, referenceOf(JOB_ID, 2), referenceOf(other, 1)]).size).toBe(3);
});

test('what is billed is counted from the text', async () => {
  const sandbox = await sandboxOf();
  const text = `${'Ваш код подтверждения: '.repeat(4)}${CODE}`;
  expect(await smsAt(sandbox.url).send({ ...message, text }, deadline())).toEqual(acceptedAs(2));
});

test('a second send of one attempt is the first one: the broker has it already', async () => {
  const sandbox = await sandboxOf();
  const sms = smsAt(sandbox.url);
  await sms.send(message, deadline());
  expect(await sms.send(message, deadline())).toEqual(acceptedAs());
  expect(sandbox.inbox()).toHaveLength(1);
});

test.each([
  { ttlSeconds: 0, ttl: '1' },
  { ttlSeconds: 59.9, ttl: '59' },
])('a life of $ttlSeconds s is sent as $ttl s', async ({ ttlSeconds, ttl }) => {
  const sandbox = await sandboxOf();
  await smsAt(sandbox.url).send({ ...message, ttlSeconds }, deadline());
  expect(sandbox.inbox()[0]?.details).toMatchObject({ ttl });
});

const rejecting = (code: string): FaultRequest => ({
  effect: 'reject',
  channel: 'sms',
  provider: 'play-mobile',
  code,
});
const faults: readonly { fault: FaultRequest; reply: object }[] = [
  { fault: rejecting('number-invalid'), reply: refusedAs('number-invalid') },
  { fault: rejecting('empty-recipient'), reply: refusedAs('number-invalid') },
  { fault: rejecting('balance-empty'), reply: refusedAs('balance-empty') },
  { fault: rejecting('credentials'), reply: refusedAs('credentials') },
  { fault: rejecting('account-locked'), reply: refusedAs('credentials') },
  { fault: rejecting('empty-originator'), reply: refusedAs('credentials') },
  { fault: rejecting('text-not-moderated'), reply: refusedAs('text-not-moderated') },
  { fault: rejecting('syntax-error'), reply: refusedAs('message-invalid') },
  { fault: rejecting('invalid-ttl'), reply: refusedAs('message-invalid') },
  { fault: rejecting('duplicate'), reply: acceptedAs() },
  { fault: rejecting('internal'), reply: { kind: 'faulted', reason: 'provider-internal' } },
  { fault: { effect: 'slow', delay_ms: 100 }, reply: { kind: 'accepted' } },
  ...serverFaults,
];

channelGuarantees('sms', (origin) => smsAt(origin), message);

test.each(titled(faults))('Play Mobile answering $what', async (given) => {
  const sandbox = await sandboxOf();
  sandbox.orderFaults({ channel: 'sms', ...given.fault });
  expect(await smsAt(sandbox.url).send(message, deadline())).toMatchObject(given.reply);
  expect(sandbox.calls(), 'nothing is repeated').toHaveLength(1);
});

test('a wrong password is credentials', async () => {
  const sandbox = await sandboxOf();
  const sms = smsAt(sandbox.url, { password: 'another' });
  expect(await sms.send(message, deadline())).toMatchObject(refusedAs('credentials'));
});

test('a text that was not approved, and a balance that is used up, cost nothing and say so', async () => {
  const sandbox = await sandboxOf();
  const order = async (account: object) =>
    (await fetch(`${sandbox.url}/play-mobile`, { method: 'PUT', body: JSON.stringify(account) })).status;
  expect(await order({ templates: ['Navbat: your code is *.'], balance_uzs: 100, part_uzs: 95 })).toBe(200);
  const sms = smsAt(sandbox.url);
  expect(await sms.send({ ...message, text: 'Buy now' }, deadline())).toMatchObject(
    refusedAs('text-not-moderated'),
  );
  expect(await sms.send(message, deadline())).toMatchObject({ kind: 'accepted' });
  expect(await sms.send({ ...message, attempt: 2 }, deadline())).toMatchObject(refusedAs('balance-empty'));
  expect(sandbox.inbox()).toHaveLength(1);
});

const unreadable = { kind: 'unknown', reason: 'answer-unreadable' };
test.each([
  { what: 'another text', answer: http('200 OK', 'Welcome'), reply: unreadable },
  {
    what: 'the text in a longer one',
    answer: http('200 OK', 'Request is received by nginx'),
    reply: unreadable,
  },
  { what: 'the text with 202', answer: http('202 Accepted', 'Request is received'), reply: unreadable },
  { what: 'an HTML page', answer: http('200 OK', '<html>'), reply: unreadable },
  { what: 'cut JSON', answer: http('200 OK', '{"error_code":"10'), reply: unreadable },
  {
    what: 'a cut body',
    answer: 'HTTP/1.1 200 OK\r\ncontent-length: 50\r\nconnection: close\r\n\r\nRequest',
    reply: { kind: 'unknown', reason: 'connection-lost' },
  },
  { what: 'the text in quotes', answer: http('200 OK', '"Request is received"\n'), reply: acceptedAs() },
  {
    what: 'an error with 200',
    answer: http('200 OK', '{"error_code":102,"error_description":"Account lock"}'),
    reply: refusedAs('credentials'),
  },
  {
    what: 'a code that nobody knows',
    answer: http('400 Bad', '{"error_code":"999","error_description":"?"}'),
    reply: refusedAs('provider-refused'),
  },
  {
    what: 'a redirect',
    answer: http('302 Found', '', 'location: /login\r\n'),
    reply: { kind: 'faulted', reason: 'provider-unavailable' },
  },
  {
    what: 'an error of the broker with 500',
    answer: http('500 Internal', '{"error_code":"100","error_description":"Internal server error"}'),
    reply: { kind: 'faulted', reason: 'provider-internal' },
  },
  { what: 'a bare 429', answer: http('429 Many', '{}'), reply: { kind: 'busy', retryAfterMs: 2_000 } },
])('an answer that is $what is $reply.kind $reply.reason', async ({ answer, reply }) => {
  expect(await smsAt(await answering(answer)).send(message, deadline())).toMatchObject(reply);
});

test.each([
  ['Недостаточно средств на балансе', 'balance-empty'],
  ['Текст не прошёл модерацию', 'text-not-moderated'],
  ['Неверный номер получателя', 'number-invalid'],
  ['Неизвестный отправитель', 'credentials'],
])('%s, without a code that is known, is %s', (words, reason) => {
  const text = JSON.stringify({ error_code: '7', error_description: words });
  expect(
    replyToAnswer({ status: 400, headers: {}, text }, { reference: REFERENCE, text: 'x' }),
  ).toMatchObject(refusedAs(reason));
});

test('no reply and no error holds the code, the number or the password', async () => {
  const said = JSON.stringify({ error_code: '7', error_description: `To ${PHONE}: ${CODE}` });
  const reply = await smsAt(await answering(http('400 Bad', said))).send(message, deadline());
  const error = await smsAt('nonsense://nowhere')
    .send(message, deadline())
    .then(
      (given) => expect.unreachable(inspect(given)),
      (thrown: unknown) => inspect(thrown, { depth: 9, showHidden: true }),
    );
  expect(error).toContain('play-mobile: unexpected');
  for (const text of [inspect(reply), error])
    for (const secret of [CODE, PHONE, PLAY_MOBILE.password]) expect(text).not.toContain(secret);
});

test('the balance is empty from when the broker says so until it takes a message', async () => {
  const sandbox = await sandboxOf();
  const sms = smsAt(sandbox.url);
  const balance = () => sms.balance?.(deadline());
  expect(await balance()).toEqual({ kind: 'nothing-new' });
  sandbox.orderFaults({ ...rejecting('balance-empty'), times: 1 });
  await sms.send(message, deadline());
  expect(await balance()).toEqual({ kind: 'told', micros: 0n });
  expect(await balance(), 'nothing was sent since').toEqual({ kind: 'nothing-new' });
  await sms.send(message, deadline());
  expect(await balance()).toEqual({ kind: 'told', micros: null });
});

test('a code that every object knows is none of the broker’s', () => {
  const text = JSON.stringify({ error_code: 'constructor', error_description: 'x' });
  expect(replyToAnswer({ status: 400, headers: {}, text }, { reference: 'r', text: 'text' })).toMatchObject({
    kind: 'refused',
    reason: 'provider-refused',
  });
});
