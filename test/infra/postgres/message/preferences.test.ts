import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BroadcastOrder, OrderCategory } from '../../../../domain/message/broadcast/broadcast.ts';
import type { JobId, ProjectId } from '../../../../domain/shared/ids.ts';
import { PersonsWish } from '../../../../domain/message/preferences/preferences.ts';
import { pushJobs } from '../../../../infra/postgres/message/broadcast/message-jobs.ts';
import { preferencesLinks } from '../../../../infra/postgres/message/preferences/links.ts';
import { preferencesStore } from '../../../../infra/postgres/message/preferences/preferences.ts';
import { broadcastWorld, type BroadcastWorld } from './broadcast/world.ts';

let world: BroadcastWorld;
let caller: BroadcastOrder['caller'];
const news: OrderCategory = { name: 'news', criticalBy: null, stopLabels: null };

beforeAll(async () => {
  world = await broadcastWorld();
  caller = await world.makeCaller();
});
afterAll(() => world.close());

async function recipientWith(token: string, projectId: string = caller.projectId): Promise<string> {
  const id = randomUUID();
  await world.pool.query(
    `insert into recipient (id, project_id, handle, address_hash, push_token_encrypted, push_token_hash, created_at, updated_at)
     values ($1, $2, gen_random_uuid()::text, $3, $4, $5, now(), now())`,
    [
      id,
      projectId,
      world.hash('address', id),
      world.rowEncryption.encrypt(token, id),
      world.hash('push-token', token),
    ],
  );
  return id;
}
const off = (recipientId: string) =>
  preferencesStore(world.pool, world.hash).change(
    caller.projectId as ProjectId,
    recipientId,
    { categories: { news: false } },
    'page',
    new Date(),
  );
async function workOf(target: object, category: OrderCategory | null) {
  const { jobId } = await world.accept(world.orderOf(caller, 'push', [target] as never, { category }));
  return (await pushJobs(world.pool, world.rowEncryption, world.wanted)(jobId as JobId))?.work;
}

test('a push to a bare token is held to what the recipient wants whose device it is, in this project alone', async () => {
  const token = `token-${randomUUID()}`;
  const recipientId = await recipientWith(token);
  const elsewhere = await world.makeCaller();
  await recipientWith(`other-${token}`, elsewhere.projectId);
  await off(recipientId);
  const notWanted = { settled: 'rejected', reason: 'category-off' };
  expect(await workOf({ by: 'token', token }, news)).toEqual(notWanted);
  expect(await workOf({ by: 'recipient', recipientId }, news)).toEqual(notWanted);
  expect(await workOf({ by: 'token', token: `other-${token}` }, news)).toMatchObject({
    to: { token: `other-${token}` },
  });
  expect(await workOf({ by: 'token', token }, { ...news, name: 'service' })).toMatchObject({ to: { token } });
  // What Navbat tells a person of their own account.
  expect(await workOf({ by: 'recipient', recipientId }, null)).toMatchObject({ to: { token } });
  expect(await workOf({ by: 'topic', topic: 'all' }, news)).toMatchObject({ to: { topic: 'all' } });
});

test('who opted out is sent no push, by a bare token or a new recipient, once theirs is erased, until they take it back', async () => {
  const token = `token-${randomUUID()}`;
  const [store, projectId] = [preferencesStore(world.pool, world.hash), caller.projectId as ProjectId];
  const notWanted = { settled: 'rejected', reason: 'recipient-opted-out' };
  const first = await recipientWith(token);
  await store.change(projectId, first, { opted_out: true }, 'one-click', new Date());
  await world.pool.query('delete from recipient where id = $1', [first]);
  expect(await workOf({ by: 'token', token }, news)).toEqual(notWanted);
  const second = await recipientWith(token);
  expect(await workOf({ by: 'recipient', recipientId: second }, news)).toEqual(notWanted);
  // In this project alone, and what Navbat itself tells of their account comes all the same.
  const elsewhere = await world.makeCaller();
  expect((await store.find(projectId, second))?.preferences.optedOutAt).toBeInstanceOf(Date);
  expect(await workOf({ by: 'token', token }, null)).toMatchObject({ to: { token } });
  const other = world.orderOf(elsewhere, 'push', [{ by: 'token', token }], { category: news });
  const { jobId } = await world.accept(other);
  expect((await pushJobs(world.pool, world.rowEncryption, world.wanted)(jobId as JobId))?.work).toMatchObject(
    { to: { token } },
  );
  const back = () => store.change(projectId, second, { opted_out: false }, 'project', new Date());
  await expect(back()).rejects.toThrow(PersonsWish);
  await store.change(projectId, second, { opted_out: false }, 'page', new Date());
  expect(await workOf({ by: 'recipient', recipientId: second }, news)).toMatchObject({ to: { token } });
  expect(await workOf({ by: 'token', token }, news)).toMatchObject({ to: { token } });
  const { rows } = await world.pool.query('select from message_opt_out where project_id = $1', [projectId]);
  expect(rows).toEqual([]);
});

test('who gives a bare token is not told whose it is, and a dead one takes nothing from its recipient', async () => {
  const token = `token-${randomUUID()}`;
  await recipientWith(token);
  expect(await workOf({ by: 'token', token }, news)).toMatchObject({ recipientId: null });
});

test('nobody is critical without an audit: the whole order is taken back', async () => {
  const order = world.orderOf(caller, 'push', [{ by: 'topic', topic: 'all' }], {
    category: { ...news, criticalBy: { keyId: 'k' } },
  });
  await expect(world.messages.accept(order)).rejects.toThrow('needs an audit');
  const { rows } = await world.pool.query('select from broadcast where request_id = $1', [order.requestId]);
  expect(rows).toEqual([]);
});

test('the same change again changes nothing, and tells nobody', async () => {
  const recipientId = await recipientWith(`token-${randomUUID()}`);
  const first = await off(recipientId);
  const again = await off(recipientId);
  expect(again?.changedAt).toEqual(first?.changedAt);
});

test('what a person says holds for each recipient of the project who has their chat, and what the project says for one', async () => {
  const elsewhere = await world.makeCaller();
  const ids = [randomUUID(), randomUUID(), randomUUID()] as const;
  const add = (id: string, projectId: string) =>
    world.pool.query(
      `insert into recipient (id, project_id, handle, address_hash, telegram_chat_id, created_at, updated_at)
       values ($1, $2, gen_random_uuid()::text, $3, 9107, now(), now())`,
      [id, projectId, world.hash('address', id)],
    );
  await add(ids[0], caller.projectId);
  await add(ids[1], caller.projectId);
  await add(ids[2], elsewhere.projectId);
  const store = preferencesStore(world.pool, world.hash);
  const projectId = caller.projectId as ProjectId;
  const offOf = async (id: string, of = projectId) => (await store.find(of, id))?.preferences.categoriesOff;
  await store.change(projectId, ids[0], { categories: { news: false } }, 'page', new Date());
  expect(await Promise.all([offOf(ids[0]), offOf(ids[1])])).toEqual([['news'], ['news']]);
  expect(await offOf(ids[2], elsewhere.projectId as ProjectId)).toEqual([]);
  await store.change(projectId, ids[1], { categories: { news: true } }, 'bot', new Date());
  expect(await Promise.all([offOf(ids[0]), offOf(ids[1])])).toEqual([[], []]);
  await store.change(projectId, ids[1], { categories: { news: false } }, 'project', new Date());
  expect(await Promise.all([offOf(ids[0]), offOf(ids[1])])).toEqual([[], ['news']]);
});

test('a link is of one recipient of one project and one version, and its text says nothing else', () => {
  const links = preferencesLinks(world.hash, 'https://navbat.example');
  const linked = { projectId: caller.projectId as ProjectId, recipientId: randomUUID(), linkVersion: 3 };
  const token = links.urlOf(linked).split('/').at(-1) ?? '';
  const claim = links.read(token);
  expect(claim).toMatchObject({ recipientId: linked.recipientId, linkVersion: 3 });
  expect(claim?.isOf(linked)).toBe(true);
  for (const other of [
    { ...linked, linkVersion: 2 },
    { ...linked, recipientId: randomUUID() },
    { ...linked, projectId: randomUUID() as ProjectId },
  ])
    expect(claim?.isOf(other)).toBe(false);
  for (const text of ['', token.slice(1), `${token}A`, token.replace(/.$/, '!')])
    expect(links.read(text)).toBeNull();
});
