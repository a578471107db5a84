import { expect, test } from 'vitest';
import { openLine } from '../broadcast/open-broadcasts.ts';

const { world, freshChats, jobsOf, scheduled } = await openLine();
/** Places in the queue of a bot at Telegram's pace. */
const BOT_PLACES = 8;

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
