import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import type { FaultRequest } from '../../../../apps/sandbox/pay/multicard/faults.ts';
import { RailToken } from '../../../../domain/pay/rail/port.ts';
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
import { deadline } from '../support.ts';
import { AMOUNT, COMMISSION, draftOn, money, refusal, valueOf } from './multicard-client.ts';

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
