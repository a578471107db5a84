import { afterEach, expect, test } from 'vitest';
import { headOutbox } from '../../../../infra/postgres/pay/ledger/head-outbox.ts';
import { payOps } from '../../../../infra/postgres/pay/ops-view.ts';
import { type ChainedBook, DAY_MS, openChainedBook } from './chained-book.ts';

let ledger: ChainedBook;
afterEach(() => ledger.close());

test('staff are told of what is in no block, of days that are not signed, and of heads that nobody accepted', async () => {
  ledger = await openChainedBook();
  const alarms = async () =>
    (await payOps.alarms(ledger.app, ledger.now())).map(({ alarm, subject }) => [alarm, subject]);
  await ledger.post(5);
  expect(await alarms()).toEqual([]);
  await ledger.moveTo(DAY_MS);
  expect(await alarms()).toEqual([
    ['ledger-open', ledger.book],
    ['ledger-day-unsigned', ledger.book],
  ]);
  await ledger.tick();
  // Nothing is sent where nobody is to get it.
  expect(await alarms()).toEqual([]);
  const head = await headOutbox(ledger.app).claim('witness');
  expect(await alarms()).toEqual([['ledger-head-unsent', `${ledger.book} · witness`]]);
  if (head) await headOutbox(ledger.app).sent('witness', head);
  expect(await alarms()).toEqual([]);
});
