import { describe, expect, test } from 'vitest';
import type { RailPage } from '../../../../domain/pay/rail/port.ts';
import { freshMulticard, orderOf, railAt } from '../../../apps/sandbox/pay/multicard-world.ts';
import { answering, closedPort, deadline, http } from '../support.ts';
import { draftOn, money, valueOf } from './multicard-client.ts';

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
