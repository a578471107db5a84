import { randomBytes, randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { receipts } from '../../../infra/postgres/pay/payout/receipts.ts';
import { sendReceipts } from '../../../workers/pay/send-receipts.ts';
import { makeApp } from './payee-app.ts';
import { openDispatchWorld } from '../../infra/postgres/pay/dispatch-world.ts';
import { GROSS, openListing } from '../../infra/postgres/pay/list/listing.ts';

interface Told {
  readonly to: readonly string[];
  readonly said: string;
  readonly key: string;
}

test('a payee is told once in their own chat with amount and card; without a chat by a push with neither', async () => {
  const world = await openDispatchWorld();
  onTestFinished(() => world.close());
  const { payees } = await world.batch(4);
  const [inChat, byApp, unreachable, failed] = payees;
  if (!inChat || !byApp || !unreachable || !failed) throw new Error('a small batch');
  for (const { personId } of payees)
    await world.pool.query('insert into person (id, created_at) values ($1, now())', [personId]);
  for (const [chat, { personId }] of [
    [7001, inChat],
    [7004, failed],
  ] as const)
    await world.pool.query(
      `insert into person_chat (mode, telegram_id, person_id, proven_at) values ('live', $1, $2, now())`,
      [chat, personId],
    );
  const recipient = await makeApp(world, byApp.personId);
  const note = (payoutId: string, what: string) =>
    world.owner.query('insert into payout_notice (payout_id, what, at) values ($1, $2, now())', [
      payoutId,
      what,
    ]);
  await note(inChat.payoutId, 'receipt-paid');
  await note(byApp.payoutId, 'receipt-paid');
  await note(unreachable.payoutId, 'receipt-paid');
  await note(failed.payoutId, 'receipt-failed');

  const chats: Told[] = [];
  const apps: Told[] = [];
  const round = (fail = false) =>
    sendReceipts({
      receipts: receipts(world.pool),
      toChats: async (to, said, key) => {
        if (fail) throw new Error('the database went away');
        chats.push({ to, said, key });
      },
      toApps: async (to, { title, body }, key) => void apps.push({ to, said: `${title} ${body}`, key }),
    })();
  await expect(round(true)).rejects.toThrow('went away');
  apps.length = 0;
  await Promise.all([round(), round()]);
  await round();
  expect(chats.toSorted((a, b) => a.key.localeCompare(b.key))).toEqual(
    [
      {
        to: ['7001'],
        said: '•••• 1234 kartangizga 12 300 so‘m yuborildi.',
        key: `receipt:${inChat.payoutId}:paid`,
      },
      {
        to: ['7004'],
        said: '•••• 1234 kartasiga 12 300 so‘m yuborilmadi. Pul balansingizga qaytdi.',
        key: `receipt:${failed.payoutId}:failed`,
      },
    ].toSorted((a, b) => a.key.localeCompare(b.key)),
  );
  expect(apps).toEqual([
    { to: [recipient], said: expect.not.stringMatching(/\d/), key: `receipt:${byApp.payoutId}:paid` },
  ]);
  const { rows } = await world.pool.query('select from payout_notice where handed_at is null');
  expect(rows).toEqual([]);
});

test('a payee who is known by their phone alone is told, also where a test key has proven the phone', async () => {
  const world = await openListing();
  onTestFinished(() => world.close());
  const by = await world.funder(GROSS);
  const lines = world.lines(1);
  const phone = lines[0]?.phone ?? '';
  await world.lists.import(world.order(by.id, lines));
  const ofTest = randomUUID();
  await world.pool.query(`insert into person (id, mode, created_at) values ($1, 'test', now())`, [ofTest]);
  await world.pool.query(
    `insert into person_phone (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'code', now())`,
    [randomBytes(32), ofTest, phone],
  );
  await world.pool.query(
    `insert into person_chat (mode, telegram_id, person_id, proven_at) values ('live', 7009, $1, now())`,
    [await world.personOf(phone)],
  );
  await world.owner.query(
    `insert into payout_notice (payout_id, what, at) select id, 'receipt-paid', now() from payout where phone = $1`,
    [phone],
  );
  const told: (readonly string[])[] = [];
  await receipts(world.pool).take(10, async (due) => void told.push(...due.map(({ chatIds }) => chatIds)));
  expect(told).toEqual([['7009']]);
});
