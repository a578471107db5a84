import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { broadcastWorld, type BroadcastWorld } from '../broadcast/world.ts';

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
/** Places in the queue of a bot at Telegram's pace. */
const BOT_PLACES = 8;

async function jobsOf(id: string): Promise<string[]> {
  const { rows } = await world.pool.query<{ id: string }>('select id from job where subject_id = $1', [id]);
  return rows.map((row) => row.id);
}
const scheduled = async (places: number) =>
  (await world.schedulerRound('telegram-message', places)).map(({ jobId }) => jobId);

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
