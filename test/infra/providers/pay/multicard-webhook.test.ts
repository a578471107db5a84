import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { ACCOUNT, freshMulticard, orderOf, railAt } from '../../../apps/sandbox/pay/multicard-world.ts';
import { receiver } from '../../../apps/sandbox/support.ts';
import { deadline } from '../support.ts';

const rail = railAt('http://127.0.0.1:9');
const signed = (fields: object, secret: string = ACCOUNT.secret) => {
  const { uuid, invoice_id: invoice, amount } = { ...notice, ...fields };
  const sign = createHash('sha1').update(`${uuid}${invoice}${amount}${secret}`).digest('hex');
  return { ...notice, ...fields, sign };
};
const notice = { uuid: 'u-1', invoice_id: 'd-1', amount: 1_234_500, status: 'success' };
const read = (body: unknown) => rail.readWebhook(Buffer.from(JSON.stringify(body)));
const look = { kind: 'look', uuid: 'u-1', reference: 'd-1' };

test('a webhook that is signed says which payment to look at, whatever status stands in it', () => {
  for (const status of ['success', 'error', 'revert', 'anything', undefined])
    expect(read({ ...signed({}), status })).toEqual(look);
  expect(read({ ...signed({}), sign: signed({}).sign.toUpperCase() })).toEqual(look);
  expect(read(signed({ amount: '1234500' }))).toEqual(look);
});

test('one whose uuid, reference, amount or secret is another is forged', () => {
  const { sign } = signed({});
  for (const other of [{ uuid: 'u-2' }, { invoice_id: 'd-2' }, { amount: 1_234_501 }])
    expect(read({ ...notice, ...other, sign })).toEqual({ kind: 'forged' });
  expect(read(signed({}, 'another'))).toEqual({ kind: 'forged' });
  expect(read({ ...notice, sign: '0'.repeat(40) })).toEqual({ kind: 'forged' });
});

test('one that is none of theirs is unreadable', () => {
  for (const body of [null, [], {}, notice, { ...signed({}), sign: '' }, { ...signed({}), uuid: '../x' }])
    expect(read(body)).toEqual({ kind: 'unreadable' });
  expect(rail.readWebhook(Buffer.from('{'))).toEqual({ kind: 'unreadable' });
});

test('another secret signs them where there is one', () => {
  const own = railAt('http://127.0.0.1:9', { callbackSecret: 'of callbacks' });
  const body = (secret: string) => Buffer.from(JSON.stringify(signed({}, secret)));
  expect(own.readWebhook(body('of callbacks'))).toEqual(look);
  expect(own.readWebhook(body(ACCOUNT.secret))).toEqual({ kind: 'forged' });
});

test('those of the sandbox are read: once, repeated, out of order, early and forged', async () => {
  const api = await receiver();
  const box = await freshMulticard({ webhookUrl: `${api.url}/callbacks/multicard/payments` });
  const client = railAt(box.url);
  const pay = async (reference: string) => {
    const draft = await client.draft(orderOf(reference), deadline());
    if (draft.kind !== 'answered') throw new Error(draft.kind);
    await client.confirm(draft.value.uuid, deadline());
    return draft.value.uuid;
  };
  const told = () =>
    api.received.map(({ body }) => ({
      ...client.readWebhook(Buffer.from(body)),
      status: (JSON.parse(body) as { status: string }).status,
    }));
  const uuid = await pay('d-1');
  await expect.poll(told).toEqual([{ kind: 'look', uuid, reference: 'd-1', status: 'success' }]);
  api.received.length = 0;
  box.orderFaults({ effect: 'webhooks', repeats: 2, reversed: true, early: true });
  await pay('d-2');
  // Early: all of them came before the answer.
  expect(told().map(({ status }) => status)).toEqual(['success', 'success', 'progress', 'progress']);
  api.received.length = 0;
  box.orderFaults({ effect: 'webhooks', forged: true });
  await pay('d-3');
  await expect.poll(told).toEqual([{ kind: 'forged', status: 'success' }]);
});
