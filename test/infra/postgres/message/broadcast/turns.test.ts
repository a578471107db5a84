import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { BroadcastOrder } from '../../../../../domain/message/broadcast/broadcast.ts';
import { URGENT_PER_MINUTE_MAX } from '../../../../../domain/message/broadcast/priority.ts';
import { broadcastWorld, type BroadcastWorld } from './world.ts';

let world: BroadcastWorld;
let chats = 0;
beforeAll(async () => {
  world = await broadcastWorld();
});
afterAll(() => world.close());
// Nobody of an earlier test waits in the line.
beforeEach(async () => {
  await world.pool.query('truncate scheduler_turn, waiting_chat, outbox');
  await world.pool.query('delete from job');
});

const freshChats = (count: number) => Array.from({ length: count }, () => ++chats);

async function jobsOf(id: string): Promise<string[]> {
  const { rows } = await world.pool.query<{ id: string }>('select id from job where subject_id = $1', [id]);
  return rows.map((row) => row.id);
}

test('pushes have the same order', async () => {
  const caller = await world.makeCaller();
  const devices = (count: number): BroadcastOrder['targets'] =>
    Array.from({ length: count }, (_, n) => ({ by: 'token', token: `device-${count}-${n}` }));
  await world.accept(world.orderOf(caller, 'push', devices(500)));
  const urgent = await world.accept(world.orderOf(caller, 'push', devices(1), { priority: 'urgent' }));
  const [first] = await world.schedulerRound('push', 1);
  expect([first?.jobId]).toEqual(await jobsOf(urgent.id));
});

test('more than so many urgent messages a minute are refused, and what else the project sends is not', async () => {
  const caller = await world.makeCaller();
  const send = () =>
    world.messages.accept(
      world.orderOf(caller, 'telegram-message', [{ by: 'chat', chatId: String(++chats) }], {
        priority: 'urgent',
      }),
    );
  const answers = await Promise.all(Array.from({ length: URGENT_PER_MINUTE_MAX + 10 }, send));
  expect(answers.filter(({ kind: answer }) => answer === 'accepted')).toHaveLength(URGENT_PER_MINUTE_MAX);
  expect(await send()).toMatchObject({ kind: 'too-many-urgent', retryAfterSeconds: expect.any(Number) });
  await world.sendToChats(caller, freshChats(1));
});
