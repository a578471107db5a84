import { expect, test } from 'vitest';
import type { BroadcastOrder } from '../../../../../domain/message/broadcast/broadcast.ts';
import { URGENT_PER_MINUTE_MAX } from '../../../../../domain/message/broadcast/priority.ts';
import { openLine } from './open-broadcasts.ts';

const { world, freshChats, jobsOf } = await openLine();

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
  const send = () => {
    const chats = freshChats(1).map((id) => ({ by: 'chat', chatId: String(id) }) as const);
    return world.messages.accept(world.orderOf(caller, 'telegram-message', chats, { priority: 'urgent' }));
  };
  const answers = await Promise.all(Array.from({ length: URGENT_PER_MINUTE_MAX + 10 }, send));
  expect(answers.filter(({ kind: answer }) => answer === 'accepted')).toHaveLength(URGENT_PER_MINUTE_MAX);
  expect(await send()).toMatchObject({ kind: 'too-many-urgent', retryAfterSeconds: expect.any(Number) });
  await world.sendToChats(caller, freshChats(1));
});
