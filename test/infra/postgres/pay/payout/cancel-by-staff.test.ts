import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GROSS, openListing } from '../list/listing.ts';

let pay: Awaited<ReturnType<typeof openListing>>;
beforeAll(async () => {
  pay = await openListing();
});
afterAll(() => pay.close());

const cancel = (id: string, by: string, book: string = pay.projectId) =>
  pay.one<{ state: string }>('select state from payout_cancel_by_staff($1, $2, $3, $4)', [
    book,
    id,
    by,
    'a list by mistake',
  ]);
const refused = (code: string) => expect.objectContaining({ code });

/** A line of a list whose payee has a card. */
async function listed() {
  const by = await pay.funder(GROSS);
  const [line] = pay.lines(1);
  if (!line) throw new Error('no line');
  const card = await pay.destination({ phone: line.phone });
  const list = await pay.lists.import(pay.order(by.id, [line]));
  if (!list.ok) throw new Error(list.refusal.kind);
  const [payout] = (await pay.lists.payouts(list.id, 0, 10)).rows;
  return { by, card, id: payout?.id ?? '' };
}

test('what no batch takes, since its card was removed, is cancelled by finance, and its funder has the money back', async () => {
  const { by, card, id } = await listed();
  await pay.owner.query('update payout_destination set removed_at = now() where id = $1', [card]);
  await expect(
    pay.batches.add(await pay.batches.create(pay.staffId), pay.staffId, [id]),
  ).rejects.toMatchObject({ code: 'NB011' });
  expect(await cancel(id, pay.staffId)).toEqual({ state: 'cancelled' });
  expect([await by.held(), await by.funded()]).toEqual([0n, GROSS]);
  expect(await pay.payout(id)).toMatchObject({ state: 'cancelled', reason: 'by-staff' });
  const done = 'select staff_id, action, reason, total from payout_action where subject = $1';
  expect(await pay.one(done, [id])).toEqual({
    staff_id: pay.staffId,
    action: 'cancel',
    reason: 'a list by mistake',
    total: GROSS.toString(),
  });
});

test('five at once cancel it once, and give its money back once', async () => {
  const { by, id } = await listed();
  const asked = await pay.atOnce(
    'payout',
    id,
    Array.from({ length: 5 }, () => () => cancel(id, pay.staffId)),
  );
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(asked.find((each) => each.status === 'rejected')).toMatchObject({ reason: refused('NB010') });
  expect(await by.funded()).toBe(GROSS);
});

test('it is refused to whoever is not of finance now, of another book, of none, and of what stands in a batch', async () => {
  const { by, id } = await listed();
  for (const role of ['operator', 'developer', 'viewer'])
    await expect(cancel(id, await pay.staff(role))).rejects.toEqual(refused('NB022'));
  const gone = await pay.staff('finance');
  await pay.pool.query('update staff set disabled_at = now() where id = $1', [gone]);
  await expect(cancel(id, gone)).rejects.toEqual(refused('NB022'));
  await expect(cancel(id, randomUUID())).rejects.toEqual(refused('NB022'));
  await expect(cancel(id, pay.staffId, randomUUID())).rejects.toEqual(refused('NB028'));
  await expect(cancel(randomUUID(), pay.staffId)).rejects.toEqual(refused('NB028'));
  await pay.batches.add(await pay.batches.create(pay.staffId), pay.staffId, [id]);
  await expect(cancel(id, pay.staffId)).rejects.toEqual(refused('NB010'));
  expect(await by.held()).toBe(GROSS);
});
