import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KeyMode } from '../../../../../domain/project/key.ts';
import type { ListLine } from '../../../../../domain/pay/list/read-list.ts';
import { registrations } from '../../../../../infra/postgres/identity/registration/registrations.ts';
import { linkOutbox, payoutLinks } from '../../../../../infra/postgres/pay/list/links.ts';
import { GROSS, openListing } from './listing.ts';

/** Numbers are given to other people. Who has one now is not paid to the card of who had it. */
let pay: Awaited<ReturnType<typeof openListing>>;
let chats = 7_400_000;
beforeAll(async () => {
  pay = await openListing();
});
afterAll(() => pay.close());

/** Somebody at the bot shows this phone as the contact of their account. */
async function showContact(
  { phone }: Pick<ListLine, 'phone'>,
  telegramId = (chats += 1),
  mode: KeyMode = 'live',
) {
  const { projectId } = await pay.makeProject();
  const bot = registrations(pay.pool, pay.hash);
  const user = await bot.givePhone({ projectId, mode, telegramId }, phone, 'contact', new Date());
  await bot.confirm({ userId: user?.id ?? 0, phone, verificationId: null }, new Date());
}
async function imported(of: readonly ListLine[]) {
  const by = await pay.funder(GROSS * BigInt(of.length));
  const done = await pay.lists.import(pay.order(by.id, of));
  if (!done.ok) throw new Error(done.refusal.kind);
  return async () => (await pay.lists.payouts(done.id, 0, 10)).rows;
}

test('a card that was bound by a link is not paid once another person has proven its phone', async () => {
  const of = pay.lines(2);
  for (const line of of) {
    await showContact(line);
    await pay.destination({ phone: line.phone });
  }
  const [kept, moved] = of as [ListLine, ListLine];
  await showContact(moved);
  expect((await (await imported(of))()).map(({ state }) => state)).toEqual(['pending', 'awaiting-card']);
  // Nor by what waits to be paid there already.
  const { rows } = await pay.pool.query<{ gone: boolean }>(
    'select removed_at is not null as gone from payout_destination where phone = any ($1) order by phone',
    [[kept.phone, moved.phone]],
  );
  expect(rows).toEqual([{ gone: false }, { gone: true }]);
});

test('nor does the link work any more that who had the phone was sent', async () => {
  const [line] = pay.lines(1) as [ListLine];
  await showContact(line);
  const [payout] = await (await imported([line]))();
  const token = randomBytes(32).toString('base64url');
  await linkOutbox({ pool: pay.pool, hash: pay.hash, encryption: pay.rowEncryption }).make(
    { payoutId: payout?.id ?? '', phone: line.phone },
    token,
  );
  const links = payoutLinks(pay.pool, pay.destinations);
  expect((await links.find(token, new Date()))?.state).toBe('live');
  await showContact(line);
  expect((await links.find(token, new Date()))?.state).toBe('replaced');
  expect(await links.begin(token, randomUUID())).toBe('gone');
});

test('a test key moves phones of its own, and a contact that is shown again moves none', async () => {
  const [line] = pay.lines(1) as [ListLine];
  const chat = (chats += 1);
  await showContact(line, chat);
  await pay.destination({ phone: line.phone });
  await showContact(line, chat);
  await showContact(line, chats + 1, 'test');
  await showContact(line, chats + 2, 'test');
  expect(await (await imported([line]))()).toMatchObject([{ state: 'pending' }]);
});
