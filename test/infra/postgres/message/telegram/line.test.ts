import { expect, test } from 'vitest';
import { openLine } from '../broadcast/open-broadcasts.ts';

const { world, freshChats, jobsOf, scheduled } = await openLine();
/** Places in the queue of a bot at Telegram's pace. */
const BOT_PLACES = 8;

test('a single message is never behind a broadcast of its own project, and an urgent one is behind none', async () => {
  const caller = await world.makeCaller();
  await world.sendToChats(caller, freshChats(2_000));
  await scheduled(BOT_PLACES);
  const normal = await world.sendToChats(caller, freshChats(1));
  const urgent = await world.sendToChats(caller, freshChats(1), { priority: 'urgent' });
  expect(await scheduled(2)).toEqual([...(await jobsOf(urgent.id)), ...(await jobsOf(normal.id))]);
});

test('of several messages to one chat the urgent one goes first', async () => {
  const caller = await world.makeCaller();
  const chat = freshChats(1);
  await world.sendToChats(caller, chat, { priority: 'bulk' });
  await world.sendToChats(caller, chat);
  const urgent = await world.sendToChats(caller, chat, { priority: 'urgent' });
  expect(await scheduled(1)).toEqual(await jobsOf(urgent.id));
});
