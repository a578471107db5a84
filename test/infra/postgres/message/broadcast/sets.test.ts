import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MessageTarget } from '../../../../../domain/message/broadcast/broadcast.ts';
import { broadcastWorld, type BroadcastWorld } from './world.ts';

let world: BroadcastWorld;
beforeAll(async () => {
  world = await broadcastWorld();
});
afterAll(() => world.close());

type Caller = Awaited<ReturnType<BroadcastWorld['makeCaller']>>;

async function addRecipient(caller: Caller, { chatId, token }: { chatId?: string; token?: string }) {
  const id = randomUUID();
  await world.pool.query(
    `insert into recipient (id, project_id, handle, address_hash, telegram_chat_id, push_token_encrypted, created_at, updated_at)
     values ($1::uuid, $2, $1::text, $3, $4, $5, now(), now())`,
    [
      id,
      caller.projectId,
      world.hash('address', id),
      chatId ?? null,
      token === undefined ? null : world.rowEncryption.encrypt(token, id),
    ],
  );
  return id;
}
const chat = (chatId: string): MessageTarget => ({ by: 'chat', chatId });
const recipient = (recipientId: string): MessageTarget => ({ by: 'recipient', recipientId });
const device = (token: string): MessageTarget => ({ by: 'token', token });

async function payloadsOf(id: string): Promise<{ recipient_id?: string | null; to?: object }[]> {
  const { rows } = await world.pool.query('select payload from job where subject_id = $1 order by id', [id]);
  return rows.map(({ payload }) => payload);
}

test('a chat that is named twice, by itself or by its recipients, is told once', async () => {
  const caller = await world.makeCaller();
  const [ali, vali] = [
    await addRecipient(caller, { chatId: '11' }),
    await addRecipient(caller, { chatId: '11' }),
  ];
  const targets = [chat('11'), chat('12'), recipient(ali), chat('12'), recipient(vali), recipient(ali)];
  const accepted = await world.accept(world.orderOf(caller, 'telegram-message', targets));
  expect(accepted).toMatchObject({ named: 6, duplicates: 4, total: 2, jobId: null });
  expect(await payloadsOf(accepted.id)).toHaveLength(2);
});

test('a device that is named twice, by its token or by its recipients, is told once, and a dead one is forgotten', async () => {
  const caller = await world.makeCaller();
  const ali = await addRecipient(caller, { token: 'phone-of-ali' });
  const vali = await addRecipient(caller, { token: 'phone-of-ali' });
  const targets = [device('phone-of-ali'), recipient(ali), recipient(vali), device('other'), device('other')];
  const accepted = await world.accept(world.orderOf(caller, 'push', targets));
  expect(accepted).toMatchObject({ named: 5, duplicates: 3, total: 2 });
  const payloads = await payloadsOf(accepted.id);
  expect(payloads.filter(({ to }) => to && 'recipient_id' in to)).toHaveLength(1);
});

test('a topic that is named twice is told once, and one of many without an address is counted', async () => {
  const caller = await world.makeCaller();
  const nobody = await addRecipient(caller, {});
  const topic: MessageTarget = { by: 'topic', topic: 'news' };
  const accepted = await world.accept(
    world.orderOf(caller, 'push', [topic, topic, recipient(nobody), device('one')]),
  );
  expect(accepted).toMatchObject({ named: 4, duplicates: 1, total: 2 });
});
