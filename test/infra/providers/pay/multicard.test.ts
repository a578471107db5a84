import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { FaultRequest } from '../../../../apps/sandbox/pay/multicard/faults.ts';
import type { Multicard } from '../../../../apps/sandbox/pay/multicard/start-multicard.ts';
import { type CardRail, type RailPage, type RailReply, RailToken } from '../../../../domain/pay/rail/port.ts';
import { openLog } from '../../../../infra/process/log.ts';
import { creditBody } from '../../../../infra/providers/pay/multicard-payments.ts';
import {
  ACCOUNT,
  CARD,
  freshMulticard,
  linesOf,
  orderOf,
  paidIn,
  railAt,
} from '../../../apps/sandbox/pay/multicard-world.ts';
import { answering, closedPort, deadline, http } from '../support.ts';

const AMOUNT = 1_234_500n;
const COMMISSION = 12_345n;
const money = { amount: AMOUNT, commission: COMMISSION, total: AMOUNT + COMMISSION };

function valueOf<T>(reply: RailReply<T>): T {
  if (reply.kind !== 'answered') throw new Error(`expected an answer: ${JSON.stringify(reply)}`);
  return reply.value;
}
const draftOn = async (rail: CardRail, reference = 'd-1') =>
  valueOf(await rail.draft(orderOf(reference), deadline())).uuid;
const loginsOf = async (box: Multicard) =>
  (await linesOf(box)).filter((line) => line.t === 'begin' && line.path === '/auth').length;

test('a draft pays nothing, its confirmation pays once, and both are read again', async () => {
  const box = await freshMulticard();
  const rail = railAt(box.url);
  const draft = valueOf(await rail.draft(orderOf('d-1'), deadline()));
  expect(draft).toMatchObject({ status: 'draft', commission: COMMISSION, total: money.total });
  expect(paidIn(await linesOf(box))).toEqual([]);
  const paid = valueOf(await rail.confirm(draft.uuid, deadline()));
  expect(paid).toEqual({
    uuid: draft.uuid,
    reference: 'd-1',
    status: 'success',
    ...money,
    paidAt: expect.any(Date) as Date,
  });
  expect(Math.abs(Date.now() - (paid.paidAt?.getTime() ?? 0))).toBeLessThan(10_000);
  expect(await rail.read(draft.uuid, deadline())).toEqual({ kind: 'answered', value: paid });
  expect(await rail.confirm(draft.uuid, deadline())).toMatchObject({ because: 'already-applied' });
  expect(paidIn(await linesOf(box))).toMatchObject([
    { uuid: draft.uuid, amount: Number(AMOUNT), card: CARD },
  ]);
});

test('the sandbox pays at once where confirmable is missing, and no body of ours is without it', async () => {
  const box = await freshMulticard();
  const login = await fetch(`${box.url}/auth`, {
    method: 'POST',
    body: JSON.stringify({ application_id: ACCOUNT.applicationId, secret: ACCOUNT.secret }),
  });
  const { token } = (await login.json()) as { token: string };
  const { confirmable, ...without } = JSON.parse(creditBody(orderOf('d-1'), '6')) as Record<string, unknown>;
  expect(confirmable).toBe(true);
  const send = (body: object) =>
    fetch(`${box.url}/payment/credit`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
  for (const body of [without, { ...without, confirmable: false }, { ...without, confirmable: true }])
    expect((await send(body)).status).toBe(200);
  expect(paidIn(await linesOf(box))).toHaveLength(2);
});

test('amounts are integers on the wire up to the last digit, and what is none is never sent', async () => {
  const bodyOf = (amount: bigint) => creditBody(orderOf('d-1', { amount }), '6');
  expect(bodyOf(8_999_999_999_999_999n)).toContain('"amount":8999999999999999,');
  for (const amount of [0n, -1n, 9_000_000_000_000_001n]) expect(() => bodyOf(amount)).toThrow(RangeError);
  for (const reference of ['', 'x'.repeat(256)])
    expect(() => creditBody(orderOf(reference), '6')).toThrow(RangeError);
});

const refusal = (code: string, because: string, retryable: boolean) => ({
  kind: 'refused',
  code,
  because,
  retryable,
});
const cut = { hang_ms: 0 } as const;

interface Row {
  readonly fault: FaultRequest;
  readonly reply: object;
  /** What the rail has of it then. */
  readonly left: readonly string[];
}
const of = (on: 'draft' | 'confirm', rows: readonly Row[]) =>
  rows.map((row) => ({
    ...row,
    fault: { ...row.fault, on },
    title: [...Object.values(row.fault), ...row.left].join(' '),
  }));

const drafts: readonly Row[] = [
  { fault: { effect: 'slow', delay_ms: 50 }, reply: { kind: 'answered' }, left: ['draft'] },
  { fault: { effect: 'decline' }, reply: refusal('ERROR_CARD_NOT_FOUND', 'card', false), left: [] },
  {
    fault: { effect: 'decline', because: 'fields' },
    reply: refusal('ERROR_FIELDS', 'fields', false),
    left: [],
  },
  {
    fault: { effect: 'decline', because: 'limit' },
    reply: refusal('ERROR_FIELDS', 'limit', false),
    left: [],
  },
  {
    fault: { effect: 'wallet-empty' },
    reply: refusal('ERROR_INSUFFICIENT_FUNDS', 'wallet-empty', true),
    left: [],
  },
  { fault: { effect: 'not-ready' }, reply: refusal('ERROR_TRANS_NOT_READY', 'not-ready', true), left: [] },
  {
    fault: { effect: 'rate-limit', retry_after_seconds: 7 },
    reply: { ...refusal('HTTP 429', 'too-many', true), retryAfterMs: 7_000 },
    left: [],
  },
  { fault: { effect: 'denied' }, reply: refusal('ERROR_ACCESS_DENIED', 'denied', true), left: [] },
  { fault: { effect: 'expired-token' }, reply: refusal('HTTP 401', 'denied', true), left: [] },
  { fault: { effect: 'hang-before', ...cut }, reply: { kind: 'unknown', why: 'reset' }, left: [] },
  { fault: { effect: 'hang-after', ...cut }, reply: { kind: 'unknown', why: 'reset' }, left: ['draft'] },
  { fault: { effect: 'error-before' }, reply: { kind: 'unknown', why: '5xx' }, left: [] },
  { fault: { effect: 'error-after', status: 502 }, reply: { kind: 'unknown', why: '5xx' }, left: ['draft'] },
  { fault: { effect: 'garbage-before' }, reply: { kind: 'unknown', why: 'unreadable' }, left: [] },
  { fault: { effect: 'garbage-after' }, reply: { kind: 'unknown', why: 'unreadable' }, left: ['draft'] },
  { fault: { effect: 'unknown' }, reply: { kind: 'unknown', why: 'rail-unknown' }, left: ['draft'] },
  {
    fault: { effect: 'unknown', becomes: 'error' },
    reply: { kind: 'unknown', why: 'rail-unknown' },
    left: [],
  },
  {
    fault: { effect: 'pays-at-once' },
    reply: { kind: 'answered', value: expect.objectContaining({ status: 'success' }) as object },
    left: ['success'],
  },
];

test.each(of('draft', drafts))('a draft: $title', async ({ fault, reply, left }) => {
  const box = await freshMulticard();
  box.orderFaults(fault);
  expect(await railAt(box.url).draft(orderOf('d-1'), deadline())).toMatchObject(reply);
  expect(box.payments().map(({ status }) => status)).toEqual(left);
});

const confirmations: readonly Row[] = [
  { fault: { effect: 'decline' }, reply: refusal('ERROR_CARD_NOT_FOUND', 'card', false), left: ['draft'] },
  { fault: { effect: 'wallet-empty' }, reply: { because: 'wallet-empty', retryable: true }, left: ['draft'] },
  { fault: { effect: 'not-ready' }, reply: { because: 'not-ready' }, left: ['draft'] },
  { fault: { effect: 'hang-before', ...cut }, reply: { kind: 'unknown', why: 'reset' }, left: ['draft'] },
  { fault: { effect: 'hang-after', ...cut }, reply: { kind: 'unknown', why: 'reset' }, left: ['success'] },
  { fault: { effect: 'error-before' }, reply: { kind: 'unknown', why: '5xx' }, left: ['draft'] },
  { fault: { effect: 'error-after' }, reply: { kind: 'unknown', why: '5xx' }, left: ['success'] },
  { fault: { effect: 'garbage-after' }, reply: { kind: 'unknown', why: 'unreadable' }, left: ['success'] },
  {
    fault: { effect: 'unknown', becomes: 'draft' },
    reply: { kind: 'unknown', why: 'rail-unknown' },
    left: ['draft'],
  },
  {
    fault: { effect: 'fails' },
    reply: { kind: 'answered', value: expect.objectContaining({ status: 'error' }) as object },
    left: ['error'],
  },
];

test.each(of('confirm', confirmations))('a confirmation: $title', async ({ fault, reply, left }) => {
  const box = await freshMulticard();
  const rail = railAt(box.url);
  const uuid = await draftOn(rail);
  box.orderFaults(fault);
  expect(await rail.confirm(uuid, deadline())).toMatchObject(reply);
  expect(box.payments().map(({ status }) => status)).toEqual(left);
  expect(valueOf(await rail.read(uuid, deadline())).status).toBe(left[0]);
});

test.each([
  ['unknown', 'success', 'rail-unknown'],
  ['unknown', 'error', 'rail-unknown'],
] as const)('%s, then %s, is asked about until it is', async (effect, becomes, why) => {
  const box = await freshMulticard();
  const rail = railAt(box.url);
  const uuid = await draftOn(rail);
  box.orderFaults({ effect, becomes, after_ms: 1_000 });
  expect(await rail.confirm(uuid, deadline())).toEqual({ kind: 'unknown', why });
  expect(valueOf(await rail.read(uuid, deadline())).status).toBe('progress');
  await expect.poll(async () => valueOf(await rail.read(uuid, deadline())).status).toBe(becomes);
});

test('a payment is on its way first, is paid then, and comes back much later', async () => {
  const box = await freshMulticard();
  box.set({ wait_divisor: 1_000 });
  const rail = railAt(box.url);
  const [slow, back] = [await draftOn(rail, 'd-1'), await draftOn(rail, 'd-2')];
  box.orderFaults(
    { effect: 'progress', after_ms: 100_000, times: 1 },
    { effect: 'revert', after_ms: 100_000 },
  );
  expect(valueOf(await rail.confirm(slow, deadline())).status).toBe('progress');
  expect(valueOf(await rail.confirm(back, deadline())).status).toBe('success');
  await expect.poll(async () => valueOf(await rail.read(slow, deadline())).status).toBe('success');
  await expect.poll(async () => valueOf(await rail.read(back, deadline())).status).toBe('revert');
  expect(box.wallet()).toBe(100_000_000_000 - Number(money.total));
});

test('a time-out before and after paying look alike', async () => {
  const box = await freshMulticard();
  const rail = railAt(box.url);
  const [before, after] = [await draftOn(rail, 'd-1'), await draftOn(rail, 'd-2')];
  box.orderFaults({ effect: 'hang-before', times: 1 }, { effect: 'hang-after', times: 1 });
  for (const uuid of [before, after])
    expect(await rail.confirm(uuid, deadline(150))).toEqual({ kind: 'unknown', why: 'timeout' });
  expect(valueOf(await rail.read(before, deadline())).status).toBe('draft');
  expect(valueOf(await rail.read(after, deadline())).status).toBe('success');
  expect(await rail.confirm(before, AbortSignal.abort())).toEqual({ kind: 'unknown', why: 'timeout' });
});

test('a large amount needs to know its receiver, and a strange card is refused', async () => {
  const rail = railAt((await freshMulticard()).url);
  const draft = (more: Parameters<typeof orderOf>[1]) => rail.draft(orderOf('d-1', more), deadline());
  expect(await draft({ amount: 1_000_000_001n })).toMatchObject({ because: 'limit', retryable: false });
  expect(await draft({ amount: 1_000_000_000n })).toMatchObject({ kind: 'answered' });
  expect(await draft({ token: new RailToken('nobody') })).toMatchObject({ because: 'card' });
});

test('a wallet that is empty, or that wants a password for each payment, is seen and refuses', async () => {
  const box = await freshMulticard();
  const rail = railAt(box.url);
  expect(valueOf(await rail.wallet(deadline()))).toEqual({ balance: 100_000_000_000n, otpRequired: false });
  const uuid = await draftOn(rail);
  box.set({ otp_required: true });
  expect(valueOf(await rail.wallet(deadline())).otpRequired).toBe(true);
  expect(await rail.confirm(uuid, deadline())).toMatchObject({ because: 'otp-required', retryable: true });
  box.set({ otp_required: false });
  await fetch(`${box.url}/control/wallet`, { method: 'PUT', body: JSON.stringify({ balance: 1_246_844 }) });
  expect(await rail.confirm(uuid, deadline())).toMatchObject({ because: 'wallet-empty' });
  await fetch(`${box.url}/control/wallet`, { method: 'PUT', body: JSON.stringify({ top_up: 1 }) });
  expect(valueOf(await rail.confirm(uuid, deadline())).status).toBe('success');
  expect(valueOf(await rail.wallet(deadline())).balance).toBe(0n);
});

describe('the sign-in', () => {
  test('serves fifty drafts at once', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    const all = Array.from({ length: 50 }, (_, n) => rail.draft(orderOf(`d-${n}`), deadline()));
    expect(new Set((await Promise.all(all)).map(({ kind }) => kind))).toEqual(new Set(['answered']));
    expect(await loginsOf(box)).toBe(1);
  });

  test('is renewed once for fifty who meet an expired token, and each draft is made once', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    await draftOn(rail, 'first');
    await fetch(`${box.url}/control/tokens/expire`, { method: 'POST' });
    await new Promise((resolve) => setTimeout(resolve, 2));
    const all = Array.from({ length: 50 }, (_, n) => rail.draft(orderOf(`d-${n}`), deadline()));
    expect(new Set((await Promise.all(all)).map(({ kind }) => kind))).toEqual(new Set(['answered']));
    expect(await loginsOf(box)).toBe(2);
    expect(box.payments()).toHaveLength(51);
  });

  test('that was renewed while a 401 was on its way is not renewed for it again', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    await draftOn(rail, 'first');
    box.orderFaults(
      { on: 'draft', effect: 'expired-token', times: 1, delay_ms: 300 },
      { on: 'draft', effect: 'expired-token', times: 1 },
    );
    const late = rail.draft(orderOf('d-1'), deadline());
    const hasCome = async () =>
      (await linesOf(box)).some((line) => line.t === 'begin' && line.reference === 'd-1');
    await expect.poll(hasCome).toBe(true);
    expect(await rail.draft(orderOf('d-2'), deadline())).toMatchObject({ kind: 'answered' });
    expect(await late).toMatchObject({ kind: 'answered' });
    expect(await loginsOf(box)).toBe(2);
  });

  test('ends when it says, in GMT+5, a minute before which it is renewed', async () => {
    const start = Date.parse('2026-11-29T18:00:00Z');
    let nowMs = start;
    const clock = () => new Date(nowMs);
    const box = await freshMulticard({ clock });
    const rail = railAt(box.url, { clock });
    const loginsAt = async (afterMs: number) => {
      nowMs = start + afterMs;
      await rail.wallet(deadline());
      return loginsOf(box);
    };
    expect(await loginsAt(0)).toBe(1);
    expect(await loginsAt(86_400_000 - 60_001)).toBe(1);
    expect(await loginsAt(86_400_000 - 59_999)).toBe(2);
    const refusals = (await linesOf(box)).filter((line) => line.t === 'end' && line.status === 401);
    expect(refusals).toEqual([]);
  });

  test('with a wrong secret is tried once, and nothing leaves', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url, { secret: 'another' });
    for (let n = 0; n < 3; n += 1)
      expect(await rail.draft(orderOf('d-1'), deadline())).toEqual(
        refusal('HTTP 400 to the login', 'denied', true),
      );
    expect(await loginsOf(box)).toBe(1);
    expect(box.payments()).toEqual([]);
  });

  test.each(['hang-before', 'error-before', 'garbage-before'] as const)(
    'that fails by %s is no unknown payment: nothing left',
    async (effect) => {
      const box = await freshMulticard();
      box.orderFaults({ on: 'auth', effect });
      expect(await railAt(box.url).draft(orderOf('d-1'), deadline(300))).toMatchObject({
        kind: 'refused',
        because: 'signed-out',
        retryable: true,
      });
      expect(box.payments()).toEqual([]);
    },
  );
});

describe('what may not begin any more', () => {
  const late = { kind: 'refused', code: 'too late to begin', because: 'signed-out', retryable: true };

  test('does not leave after a sign-in that was waited for', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    const began = Date.now();
    box.orderFaults({ on: 'auth', effect: 'slow', delay_ms: 300 });
    const mayBegin = () => Date.now() - began < 200;
    expect(await rail.draft(orderOf('d-1'), deadline(), mayBegin)).toEqual(late);
    expect(box.payments()).toEqual([]);
    expect(await rail.draft(orderOf('d-1'), deadline())).toMatchObject({ kind: 'answered' });
  });

  test('is not sent a second time with a fresh token, either', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    const uuid = await draftOn(rail);
    box.orderFaults({ effect: 'expired-token', times: 1 });
    let looks = 0;
    const onlyOnce = () => (looks += 1) === 1;
    expect(await rail.confirm(uuid, deadline(), onlyOnce)).toEqual(late);
    expect(paidIn(await linesOf(box))).toEqual([]);
    expect(await rail.confirm(uuid, deadline())).toMatchObject({ value: { status: 'success' } });
  });
});

describe('the search by reference', () => {
  test('matches a reference as a whole, over all pages', async () => {
    const box = await freshMulticard();
    box.set({ page_max: 3 });
    const rail = railAt(box.url);
    const since = new Date();
    for (const n of [1, 2, 20, 200, 3, 4, 5, 12]) await draftOn(rail, `d-${n}`);
    for (const reference of ['d-1', 'd-2', 'd-20', 'd-12'])
      expect(valueOf(await rail.find(reference, since, deadline()))?.reference).toBe(reference);
    for (const reference of ['d', 'd-', '-2', 'd-22', 'D-2', ' d-2'])
      expect(valueOf(await rail.find(reference, since, deadline()))).toBeNull();
  });

  test('finds the one that is paid among several', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    const since = new Date();
    const uuids = [await draftOn(rail, 'd-1'), await draftOn(rail, 'd-1'), await draftOn(rail, 'd-1')];
    await rail.confirm(uuids[1] ?? '', deadline());
    expect(valueOf(await rail.find('d-1', since, deadline()))).toMatchObject({
      uuid: uuids[1],
      status: 'success',
      ...money,
    });
  });

  test('finds what was added an hour before or after by their clock, and says unknown where a page is', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    await draftOn(rail);
    for (const minutes of [-59, 59])
      expect(
        valueOf(await rail.find('d-1', new Date(Date.now() + minutes * 60_000), deadline())),
      ).not.toBeNull();
    box.orderFaults({ on: 'history', effect: 'error-before' });
    expect(await rail.find('d-1', new Date(), deadline())).toEqual({ kind: 'unknown', why: '5xx' });
  });
});

test('history gives each payment of a period once, in pages, to the second', async () => {
  let now = new Date('2026-11-29T18:59:58Z');
  const box = await freshMulticard({ clock: () => now });
  box.set({ page_max: 2 });
  const rail = railAt(box.url, { clock: () => now });
  for (let n = 0; n < 7; n += 1) {
    await draftOn(rail, `d-${n}`);
    now = new Date(now.getTime() + 500);
  }
  const period = { from: new Date('2026-11-29T18:59:59Z'), to: new Date('2026-11-29T19:00:01Z') };
  const seen: (string | null)[] = [];
  let cursor: string | null = null;
  do {
    const page: RailPage = valueOf(await rail.history(period, cursor, deadline()));
    seen.push(...page.payments.map(({ reference }) => reference));
    cursor = page.cursor;
  } while (cursor !== null);
  expect(seen).toEqual(['d-5', 'd-4', 'd-3', 'd-2']);
});

describe('an answer that is not whole is unknown', () => {
  const uuid = 'a81b7b62-6d86-11f0-9a1b-00505680eaf6';
  const shown = {
    uuid,
    store_invoice_id: 'd-1',
    status: 'success',
    payment_amount: 1_234_500,
    commission_amount: 12_345,
    total_amount: 1_246_845,
    payment_time: '2026-11-29 23:00:00',
  };
  /** Reads a payment from a server that answers every call with the same bytes. */
  async function readFrom(bytes: string) {
    const rail = railAt(await answering(bytes), { clock: () => new Date() });
    return rail.read(uuid, deadline());
  }
  const body = (data: object) => ({ success: true, data, token: 't', expiry: '2099-01-01 00:00:00' });
  const ok = (data: object) => http('200 OK', JSON.stringify(body(data)));

  test.each(['draft', 'progress', 'billing', 'success', 'error', 'revert'])('%s is read', async (status) => {
    const reply = await readFrom(ok({ ...shown, status }));
    expect(reply).toEqual({
      kind: 'answered',
      value: {
        uuid,
        reference: 'd-1',
        status,
        ...money,
        paidAt: new Date('2026-11-29T18:00:00Z'),
      },
    });
  });

  test.each<[string, object]>([
    ['a status that nobody listed', { ...shown, status: 'hold' }],
    ['another payment', { ...shown, uuid: 'b81b7b62-6d86-11f0-9a1b-00505680eaf6' }],
    ['no amount', { ...shown, payment_amount: null }],
    ['half a tiyin', { ...shown, payment_amount: 0.5 }],
    ['an amount that JSON has rounded', { ...shown, payment_amount: 2 ** 53 + 2 }],
    ['less than nothing', { ...shown, payment_amount: -1 }],
    ['nothing', {}],
  ])('%s', async (_says, data) => {
    expect(await readFrom(ok(data))).toEqual({ kind: 'unknown', why: 'unreadable' });
  });

  test('amounts as texts are amounts, and what is not said of the total is added up', async () => {
    const { total_amount: _total, ...rest } = shown;
    const reply = await readFrom(ok({ ...rest, payment_amount: '1234500', commission_amount: '12345' }));
    expect(valueOf(reply)).toMatchObject(money);
  });

  test('an answer to a draft that is about another one can not be confirmed in its place', async () => {
    const draft = async (data: object) => railAt(await answering(ok(data))).draft(orderOf('d-1'), deadline());
    expect(await draft({ ...shown, status: 'draft' })).toMatchObject({ kind: 'answered' });
    for (const other of [{ store_invoice_id: 'd-10' }, { payment_amount: 1 }, { store_invoice_id: null }])
      expect(await draft({ ...shown, status: 'draft', ...other })).toEqual({
        kind: 'unknown',
        why: 'unreadable',
      });
  });

  test.each([
    '{"success":false,"error":{"code":"ERROR_NEW","details":"?"}}',
    '{"success":true}',
    '{"success":false}',
    '<html>maintenance</html>',
    '',
  ])('%s', async (text) => {
    expect(await readFrom(http('200 OK', text))).toMatchObject({ because: 'signed-out' });
    const box = await freshMulticard();
    box.orderFaults({ on: 'read', effect: 'garbage-before', body: text });
    expect(await railAt(box.url).read(uuid, deadline())).toEqual({ kind: 'unknown', why: 'unreadable' });
  });

  test('a server that is away', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    await rail.wallet(deadline());
    await box.close();
    expect(await rail.read(uuid, deadline())).toEqual({ kind: 'unknown', why: 'unreachable' });
    const never = railAt(`http://127.0.0.1:${await closedPort()}`);
    expect(await never.read(uuid, deadline())).toMatchObject({ because: 'signed-out' });
  });
});

test('no token, secret, card or passport is in what a caller can log', async () => {
  const box = await freshMulticard();
  const rail = railAt(box.url);
  const order = orderOf('d-1');
  const replies: unknown[] = [await rail.draft(order, deadline())];
  const uuid = await draftOn(rail, 'd-2');
  replies.push(await rail.confirm(uuid, deadline()), await rail.read(uuid, deadline()));
  replies.push(await rail.find('d-2', new Date(), deadline()), await rail.wallet(deadline()));
  const period = { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 60_000) };
  replies.push(await rail.history(period, null, deadline()));
  for (const effect of ['decline', 'unknown', 'garbage-before', 'expired-token'] as const) {
    box.orderFaults({ on: 'draft', effect });
    replies.push(await rail.draft(order, deadline()));
  }
  const lines: string[] = [];
  const log = openLog('test', 'debug', { write: (line: string) => void lines.push(line) });
  for (const reply of replies) log.info({ reply, order }, 'said');
  log.info({ rail, account: inspect(rail, { depth: 8, showHidden: true }) }, String(order.token));
  const text = [...lines, inspect(replies, { depth: 8 })].join('\n');
  expect(text).toContain('d-2');
  for (const secret of [CARD, ACCOUNT.secret, '860006', '******', 'BOLTAYEV', 'AD21234567', '31105892514010'])
    expect(text).not.toContain(secret);
});
