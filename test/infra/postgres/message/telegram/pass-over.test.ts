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

test.each(['pause', 'cancel'] as const)(
  'behind the chats of a %s of thousands the next message goes out in the same round',
  async (command) => {
    const caller = await world.makeCaller();
    const { id } = await world.sendToChats(caller, freshChats(3_000));
    await world.command(caller, id, command);
    const next = await world.sendToChats(caller, freshChats(3), { priority: 'bulk' });
    expect((await scheduled(BOT_PLACES)).toSorted()).toEqual((await jobsOf(next.id)).toSorted());
  },
);

test('chats of messages that expired are passed over as well', async () => {
  const caller = await world.makeCaller();
  const { id } = await world.sendToChats(caller, freshChats(500));
  await world.pool.query(`update job set deadline_at = now() - interval '1 hour' where subject_id = $1`, [
    id,
  ]);
  await world.reconciler.expire(new Date());
  const next = await world.sendToChats(caller, freshChats(1), { priority: 'bulk' });
  expect(await scheduled(BOT_PLACES)).toEqual(await jobsOf(next.id));
});
