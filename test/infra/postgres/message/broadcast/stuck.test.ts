import { expect, test } from 'vitest';
import { HELD, openBroadcasts } from './open-broadcasts.ts';

const { world, freshChats, heldOf } = await openBroadcasts();

test('what was left to sleep for ever is freed: held jobs, and those without a turn or a place of their chat', async () => {
  const caller = await world.makeCaller();
  const { id } = await world.sendToChats(caller, freshChats(6));
  const { rows } = await world.pool.query<{ id: string; chat_id: string }>(
    'select id, chat_id from job where subject_id = $1 order by id',
    [id],
  );
  const [scheduled, held, lonely, far] = rows.map((row) => row);
  await world.pool.query('update job set run_at = $2, scheduled_at = now() where id = $1', [
    scheduled?.id,
    HELD,
  ]);
  await world.pool.query('update job set run_at = $2 where id = $1', [held?.id, HELD]);
  await world.pool.query('delete from waiting_chat where chat_id = any($1)', [
    [held?.chat_id, lonely?.chat_id],
  ]);
  await world.pool.query('update waiting_chat set next_at = $2 where chat_id = $1', [far?.chat_id, HELD]);
  await world.pool.query('delete from scheduler_turn where project_id = $1', [caller.projectId]);
  expect(await world.reconciler.freeStuck(new Date())).toBeGreaterThan(0);
  expect(await heldOf(id)).toEqual({ scheduled: 0, waiting: 0 });
  expect(await world.schedulerRound('telegram-message', 10)).toHaveLength(5);
  expect(await world.reconciler.freeStuck(new Date())).toBe(0);
});

test('what a pause holds stays held, and the scheduler’s own pauses are nothing to free', async () => {
  const caller = await world.makeCaller();
  const { id } = await world.sendToChats(caller, freshChats(4));
  await world.sendToChats(caller, freshChats(2), { sendAt: new Date(Date.now() + 3_600_000) });
  await world.schedulerRound('telegram-message', 1);
  await world.command(caller, id, 'pause');
  await world.schedulerRound('telegram-message', 10);
  expect(await world.reconciler.freeStuck(new Date())).toBe(0);
  expect(await heldOf(id)).toEqual({ scheduled: 0, waiting: 3 });
});
