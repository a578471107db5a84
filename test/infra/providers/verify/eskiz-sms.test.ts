import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { FaultRequest } from '../../../../apps/sandbox/faults.ts';
import type { Sandbox } from '../../../../apps/sandbox/start-sandbox.ts';
import { balanceIn } from '../../../../infra/providers/verify/eskiz-balance.ts';
import { eskizSms, replyToAnswer } from '../../../../infra/providers/verify/eskiz-sms.ts';
import { guard } from '../../../../infra/providers/provider-guard.ts';
import { freshSandbox, PHONE, receiver } from '../../../apps/sandbox/support.ts';
import { answering, deadline, http, titled } from '../support.ts';
import { channelGuarantees, serverFaults } from './channel-guarantees.ts';
import { CODE, JOB_ID, messageTo } from './code-message.ts';

const account = { email: 'sms@navbat.example', password: 'a-password-of-the-sandbox' };
const callbackUrl = (jobId: string, attempt: number) =>
  `http://127.0.0.1:9/callbacks/eskiz/${jobId}/${attempt}`;
const smsAt = (apiUrl: string, more: Partial<Parameters<typeof eskizSms>[0]> = {}) =>
  eskizSms({ ...account, from: '4546', apiUrl, callbackUrl, ...more });
const smsThrough = ({ url }: Pick<Sandbox, 'url'>, more = {}) => smsAt(`${url}/eskiz`, more);
const message = messageTo({ phone: PHONE });
const mine = { channel: 'sms', provider: 'eskiz' } as const;
const callsTo = (sandbox: Sandbox, method: string) =>
  sandbox.calls().filter((call) => call.method === method);
const LOGIN = 'auth/login';
const SEND = 'message/sms/send';
const refusedAs = (reason: string) => ({ kind: 'refused', reason, addressIsDead: false });

test('a code goes out with its sender, its own id, and a callback that carries a token', async () => {
  const sandbox = await freshSandbox({ credentials: { eskiz: account } });
  const api = await receiver();
  const sms = smsThrough(sandbox, { callbackUrl: (job: string, n: number) => `${api.url}/cb/${job}/${n}` });
  const reply = await sms.send(message, deadline());
  const [received] = sandbox.inbox({ to: PHONE });
  expect(received).toMatchObject({ channel: 'sms', provider: 'eskiz', from: '4546', text: message.text });
  expect(received?.details).toEqual({ user_sms_id: `${JOB_ID}-1` });
  expect(reply).toEqual({
    kind: 'accepted',
    reference: received?.provider_reference,
    cost: null,
    parts: 1,
  });
  await expect.poll(() => api.received.length).toBe(2);
  for (const { url } of api.received) expect(url).toMatch(new RegExp(`^/cb/${JOB_ID}/1\\?token=[\\w-]{43}$`));
});

test('what is billed by part is counted as the balance is', async () => {
  const sandbox = await freshSandbox();
  sandbox.orderEskiz({ balance_uzs: 1_000, part_uzs: 95 });
  const text = `${'Ваш код подтверждения: '.repeat(4)}${CODE}`;
  expect(await smsThrough(sandbox).send({ ...message, text }, deadline())).toMatchObject({ parts: 2 });
  expect(sandbox.orderEskiz({})).toMatchObject({ balance_uzs: 810 });
});

const faults: readonly { fault: FaultRequest; reply: object }[] = [
  { fault: { effect: 'reject', ...mine, code: 'number-invalid' }, reply: refusedAs('number-invalid') },
  {
    fault: { effect: 'reject', ...mine, code: 'text-not-moderated' },
    reply: refusedAs('text-not-moderated'),
  },
  { fault: { effect: 'reject', ...mine, code: 'test-texts-only' }, reply: refusedAs('text-not-moderated') },
  { fault: { effect: 'reject', ...mine, code: 'balance-empty' }, reply: refusedAs('balance-empty') },
  { fault: { effect: 'reject', ...mine, code: 'refused' }, reply: refusedAs('provider-refused') },
  { fault: { effect: 'slow', delay_ms: 100 }, reply: { kind: 'accepted' } },
  ...serverFaults,
];

channelGuarantees('sms', (origin) => smsAt(`${origin}/eskiz`), message);

test.each(titled(faults))('Eskiz answering $what', async ({ fault, reply }) => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ ...mine, ...fault });
  expect(await smsThrough(sandbox).send(message, deadline())).toMatchObject(reply);
  expect(callsTo(sandbox, SEND), 'nothing is repeated').toHaveLength(1);
});

test('a text that matches no approved template is refused for its wording, and costs nothing', async () => {
  const sandbox = await freshSandbox();
  sandbox.orderEskiz({ templates: ['%w: your code is %d{6}.'], balance_uzs: 95 });
  const send = (text: string) => smsThrough(sandbox).send({ ...message, text }, deadline());
  expect(await send('Navbat: your code is 12345678.')).toMatchObject(refusedAs('text-not-moderated'));
  expect(await send('Navbat: your code is 123456.')).toMatchObject({ kind: 'accepted' });
  expect(await send('Navbat: your code is 123456.')).toMatchObject(refusedAs('balance-empty'));
  sandbox.orderEskiz({ test_account: true, balance_uzs: 95 });
  expect(await send('Navbat: your code is 123456.')).toMatchObject(refusedAs('text-not-moderated'));
  expect(await send('This is test from Eskiz')).toMatchObject({ kind: 'accepted' });
});

test('a refused wording is no fault of the provider: its breaker stays closed', async () => {
  const sandbox = await freshSandbox();
  const guarded = guard(smsThrough(sandbox), { inFlightMax: 4, clock: () => new Date() });
  const sendTwenty = async (code: string) => {
    sandbox.orderFaults({ ...mine, effect: 'reject', code });
    for (let n = 0; n < 20; n++) {
      const entry = guarded.enter();
      if (entry.entered) await entry.send(message, deadline());
    }
  };
  await sendTwenty('text-not-moderated');
  expect(guarded.enter()).toMatchObject({ entered: true });
  await sendTwenty('balance-empty');
  expect(guarded.enter()).toMatchObject({ entered: false, because: 'open' });
});

const manyAtOnce = (n: number) =>
  Array.from({ length: n }, (_, at) => ({
    ...message,
    attempt: at + 1,
    to: { ...message.to, phone: `+9989012300${String(at).padStart(2, '0')}` },
  }));

test('fifty messages at once log in once', async () => {
  const sandbox = await freshSandbox({ credentials: { eskiz: account } });
  const sms = smsThrough(sandbox);
  const replies = await Promise.all(manyAtOnce(50).map((one) => sms.send(one, deadline())));
  expect(new Set(replies.map(({ kind }) => kind))).toEqual(new Set(['accepted']));
  expect(callsTo(sandbox, LOGIN)).toHaveLength(1);
});

test('fifty messages that meet an expired token log in once, and each is sent once', async () => {
  let aheadMs = 0;
  const clock = () => new Date(Date.now() + aheadMs);
  const sandbox = await freshSandbox({ credentials: { eskiz: account }, clock });
  const sms = smsThrough(sandbox);
  await sms.send(message, deadline());
  // By the clock of Eskiz alone: ours takes the token for a good one.
  aheadMs = 31 * 86_400_000;
  sandbox.clearInbox();
  const fifty = manyAtOnce(50);
  const replies = await Promise.all(fifty.map((one) => sms.send(one, deadline())));
  expect(new Set(replies.map(({ kind }) => kind))).toEqual(new Set(['accepted']));
  expect(callsTo(sandbox, LOGIN), 'the first one, and one for all').toHaveLength(2);
  const expired = callsTo(sandbox, SEND).filter(({ status }) => status === 401);
  expect(expired).toHaveLength(50);
  expect(
    sandbox
      .inbox()
      .map(({ to }) => to)
      .toSorted(),
  ).toEqual(fifty.map(({ to }) => to.phone));
});

test('a token that is refused though fresh is credentials, and the account is left alone for a minute', async () => {
  let nowMs = Date.parse('2026-11-20T10:00:00Z');
  const sandbox = await freshSandbox({ credentials: { eskiz: account } });
  sandbox.orderFaults({ ...mine, effect: 'reject', code: 'unauthenticated', times: 2 });
  const sms = smsThrough(sandbox, { now: () => new Date(nowMs) });
  const send = () => sms.send(message, deadline());
  expect(await send()).toMatchObject(refusedAs('credentials'));
  const calls = sandbox.calls().length;
  expect(await send()).toMatchObject(refusedAs('credentials'));
  expect(sandbox.calls()).toHaveLength(calls);
  nowMs += 60_000;
  expect(await send()).toMatchObject({ kind: 'accepted' });
});

test('a wrong password is credentials: fifty messages and the next minute ask once', async () => {
  let nowMs = Date.parse('2026-11-20T10:00:00Z');
  const sandbox = await freshSandbox({ credentials: { eskiz: { ...account, password: 'another' } } });
  const sms = smsThrough(sandbox, { now: () => new Date(nowMs) });
  const replies = await Promise.all(manyAtOnce(50).map((one) => sms.send(one, deadline())));
  for (const reply of replies) expect(reply).toMatchObject(refusedAs('credentials'));
  nowMs += 59_999;
  expect(await sms.send(message, deadline())).toMatchObject(refusedAs('credentials'));
  expect(sandbox.calls()).toHaveLength(1);
  nowMs += 1;
  await sms.send(message, deadline());
  expect(sandbox.calls()).toHaveLength(2);
});

test.each([
  { status: 500, reply: { kind: 'faulted', reason: 'provider-internal' } },
  { status: 502, reply: { kind: 'faulted', reason: 'provider-unavailable' } },
  { status: 504, reply: { kind: 'faulted', reason: 'provider-unavailable' } },
  { status: 302, reply: { kind: 'faulted', reason: 'provider-unavailable' } },
  { status: 200, reply: { kind: 'faulted', reason: 'provider-unavailable' } },
  { status: 429, reply: { kind: 'busy', retryAfterMs: 5_000 } },
  { status: 404, reply: refusedAs('credentials') },
  { status: 422, reply: refusedAs('credentials') },
])('a login that answers $status sends nothing, so that it is never unknown', async ({ status, reply }) => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ ...mine, method: LOGIN, effect: 'answer', status, body: '<html>' });
  expect(await smsThrough(sandbox).send(message, deadline())).toMatchObject(reply);
  expect(sandbox.inbox()).toEqual([]);
});

test('a login that hangs is a fault at the deadline of the message, which was not sent', async () => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ ...mine, method: LOGIN, effect: 'hang-before' });
  const startedAt = performance.now();
  const reply = await smsThrough(sandbox).send(message, deadline(200));
  expect(reply).toMatchObject({ kind: 'faulted', reason: 'provider-unavailable' });
  // A login may take five seconds.
  expect(performance.now() - startedAt).toBeLessThan(4_000);
  expect(callsTo(sandbox, SEND)).toEqual([]);
});

test('a token is refreshed a day before it ends, while messages go on with it', async () => {
  let nowMs = Date.now();
  const clock = () => new Date(nowMs);
  const sandbox = await freshSandbox({ credentials: { eskiz: account }, clock });
  const sms = smsThrough(sandbox, { now: clock });
  await sms.send(message, deadline());
  nowMs += 29 * 86_400_000 - 1_000;
  await sms.send(message, deadline());
  expect(callsTo(sandbox, 'auth/refresh')).toEqual([]);
  nowMs += 2_000;
  await sms.send(message, deadline());
  await expect.poll(() => callsTo(sandbox, 'auth/refresh')).toHaveLength(1);
  nowMs += 2 * 86_400_000;
  expect(await sms.send(message, deadline())).toMatchObject({ kind: 'accepted' });
  expect(callsTo(sandbox, LOGIN)).toHaveLength(1);
});

const unreadable = { kind: 'unknown', reason: 'answer-unreadable' };
const bodies = {
  'an HTML page': '<html><h1>Sorry</h1></html>',
  'an empty body': '',
  'cut JSON': '{"id":"3d',
  null: 'null',
  "somebody else's JSON": '{"error":null,"message":"upstream"}',
  'a page that is longer than we read': 'x'.repeat(100_000),
};
test.each([
  { status: 200, reply: unreadable },
  { status: 302, reply: { kind: 'faulted', reason: 'provider-unavailable' } },
  { status: 400, reply: refusedAs('provider-refused') },
  { status: 403, reply: refusedAs('credentials') },
  { status: 408, reply: { kind: 'faulted', reason: 'provider-unavailable' } },
  { status: 429, reply: { kind: 'busy', retryAfterMs: 2_000 } },
  { status: 500, reply: { kind: 'faulted', reason: 'provider-internal' } },
  { status: 502, reply: { kind: 'faulted', reason: 'provider-unavailable' } },
  { status: 503, reply: { kind: 'faulted', reason: 'provider-unavailable' } },
  { status: 504, reply: { kind: 'unknown', reason: 'timeout' } },
])('$status decides where the body says nothing', async ({ status, reply }) => {
  const sandbox = await freshSandbox();
  const sms = smsThrough(sandbox);
  for (const [what, body] of Object.entries(bodies)) {
    sandbox.orderFaults({ ...mine, effect: 'answer', status, body });
    expect(await sms.send(message, deadline()), what).toMatchObject(reply);
  }
});

test('Retry-After is obeyed', async () => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ ...mine, effect: 'answer', status: 503, headers: { 'retry-after': '600' } });
  expect(await smsThrough(sandbox).send(message, deadline())).toMatchObject({ retryAfterMs: 600_000 });
});

test.each([
  {
    what: 'an id that is a number',
    status: 200,
    body: '{"id":7,"status":"waiting"}',
    reply: { reference: '7' },
  },
  {
    what: 'a 200 that says error',
    status: 200,
    body: '{"id":7,"status":"error","message":"Shablon topilmadi"}',
    reply: refusedAs('text-not-moderated'),
  },
  {
    what: 'a 200 that says error and no words',
    status: 200,
    body: '{"status":"error"}',
    reply: refusedAs('provider-refused'),
  },
  {
    what: 'an Uzbek word for an empty balance',
    status: 400,
    body: '{"message":"Balansingizda mablag‘ yetarli emas"}',
    reply: refusedAs('balance-empty'),
  },
  {
    what: 'a 500 with words',
    status: 500,
    body: '{"message":"balance service is down"}',
    reply: { kind: 'faulted', reason: 'provider-internal' },
  },
])('$what is read', ({ status, body, reply }) => {
  expect(replyToAnswer({ status, headers: {}, text: body }, 'text')).toMatchObject(reply);
});

test.each(['a\0b', '\ud800', 'a b', 'x'.repeat(257)])(
  'a message with the id %j is taken without one',
  (id) => {
    const text = JSON.stringify({ id, status: 'waiting' });
    expect(replyToAnswer({ status: 200, headers: {}, text }, 'text')).toEqual({
      kind: 'accepted',
      reference: null,
      cost: null,
      parts: 1,
    });
  },
);

test('no error and no reply holds the password, the token, the number or the code', async () => {
  const sandbox = await freshSandbox({ credentials: { eskiz: account } });
  const said = `Refused ${PHONE} ${CODE} of ${account.email}`;
  sandbox.orderFaults({ ...mine, effect: 'answer', status: 400, body: JSON.stringify({ message: said }) });
  const reply = await smsThrough(sandbox).send(message, deadline());
  const shown = inspect(reply, { depth: null });
  for (const secret of [account.password, account.email, PHONE, CODE]) expect(shown).not.toContain(secret);

  const garbled = smsAt(await answering(http('200 OK', '{"data":{"token":"a\\nb"}}')));
  const failed = await garbled.send(message, deadline());
  expect(failed).toMatchObject({ kind: 'faulted' });
  expect(inspect(failed, { depth: null })).not.toContain(account.password);
});

test('sends, the balance and the list of texts go by one login', async () => {
  const sandbox = await freshSandbox({ credentials: { eskiz: account } });
  const sms = smsThrough(sandbox);
  const [sent, balance, list] = await Promise.all([
    sms.send(message, deadline()),
    sms.balance?.(deadline()),
    sms.templates?.read(),
  ]);
  expect([sent, balance, list]).toMatchObject([{ kind: 'accepted' }, { kind: 'told' }, { ok: true }]);
  expect(callsTo(sandbox, LOGIN)).toHaveLength(1);
});

test('where each message finds its token ended, six logins a minute are made, and the rest goes another way', async () => {
  let nowMs = Date.parse('2026-11-20T10:00:00Z');
  const sandbox = await freshSandbox({ credentials: { eskiz: account } });
  const sms = smsThrough(sandbox, { now: () => new Date(nowMs) });
  const send = () => {
    sandbox.orderFaults({ ...mine, method: SEND, effect: 'reject', code: 'token-expired', times: 1 });
    return sms.send(message, deadline());
  };
  for (let n = 0; n < 5; n++) expect(await send()).toMatchObject({ kind: 'accepted' });
  expect(callsTo(sandbox, LOGIN)).toHaveLength(6);
  nowMs += 20_000;
  const late = { kind: 'faulted', reason: 'provider-unavailable', retryAfterMs: 40_000 };
  for (let n = 0; n < 20; n++) expect(await send()).toMatchObject(late);
  expect(callsTo(sandbox, LOGIN)).toHaveLength(6);
  sandbox.clearFaults();
  nowMs += 40_000;
  expect(await sms.send(message, deadline())).toMatchObject({ kind: 'accepted' });
  expect(callsTo(sandbox, LOGIN)).toHaveLength(7);
});

describe('the balance', () => {
  test('is told in millionths of a soʻm, with the token that sends go by', async () => {
    const sandbox = await freshSandbox({ credentials: { eskiz: account } });
    sandbox.orderEskiz({ balance_uzs: 1_234.5 });
    const sms = smsThrough(sandbox);
    await sms.send(message, deadline());
    sandbox.orderEskiz({ balance_uzs: 1_234.5 });
    expect(await sms.balance?.(deadline())).toEqual({ kind: 'told', micros: 1_234_500_000n });
    expect(callsTo(sandbox, LOGIN)).toHaveLength(1);
  });

  test.each([
    { answer: http('200 OK', '<html>'), reason: 'answer-unreadable' },
    ...[
      '"much"',
      'null',
      '""',
      '" "',
      '[]',
      '[5]',
      'true',
      '{}',
      '-5',
      '1e18',
      '"1e5"',
      '"99999999999999"',
      '"12 000"',
    ].map((balance) => ({
      answer: http('200 OK', `{"data":{"balance":${balance}}}`),
      reason: 'answer-unreadable',
    })),
    { answer: http('502 Bad', '<html>'), reason: 'provider-unavailable' },
  ])('is not guessed from $answer', async ({ answer, reason }) => {
    const [status, body] = [Number(/ (\d+) /.exec(answer)?.[1]), answer.split('\r\n\r\n')[1] ?? ''];
    expect(balanceIn({ status, headers: {}, text: body })).toEqual({ kind: 'failed', reason });
  });

  test.each([
    ['0', 0n],
    ['"1234.5"', 1_234_500_000n],
    ['1e12', 10n ** 18n],
  ])('%s is one', (balance, micros) => {
    const text = `{"data":{"balance":${balance}}}`;
    expect(balanceIn({ status: 200, headers: {}, text })).toEqual({ kind: 'told', micros });
  });

  test('is not waited for beyond its deadline', async () => {
    const sandbox = await freshSandbox({ credentials: { eskiz: account } });
    sandbox.orderFaults({ ...mine, method: 'user/get-limit', effect: 'hang-before' });
    expect(await smsThrough(sandbox).balance?.(deadline(200))).toEqual({ kind: 'failed', reason: 'timeout' });
  });

  test('of an account that is refused says why', async () => {
    const sandbox = await freshSandbox({ credentials: { eskiz: { ...account, password: 'another' } } });
    expect(await smsThrough(sandbox).balance?.(deadline())).toEqual({
      kind: 'failed',
      reason: 'credentials',
    });
  });
});
